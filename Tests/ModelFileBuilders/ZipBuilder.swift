// Builds zip archives of stored members, right or wrong.

/// A zip archive of stored members.
package struct ZipBuilder {
  package var members: [(name: [UInt8], data: [UInt8])] = []
  /// Directory entries and end with their numbers in the zip64 fields, as in files of more than 4 GiB.
  package var isZip64 = false

  package init() {}

  package mutating func add(_ name: String, _ data: [UInt8]) { members.append((Array(name.utf8), data)) }

  /// Where the parts begin, for damage.
  package struct Layout {
    package var headers: [Int] = []
    package var entries: [Int] = []
    package var end64 = 0
    package var end = 0
  }

  package func bytes() -> [UInt8] { build().bytes }

  package func build() -> (bytes: [UInt8], layout: Layout) {
    var bytes: [UInt8] = []
    var layout = Layout()
    let large: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]
    for (name, data) in members {
      layout.headers.append(bytes.count)
      let size = isZip64 ? large : littleEndian(UInt32(data.count))
      bytes += littleEndian(UInt32(0x0403_4B50)) + [45, 0, 0, 8, 0, 0] + [UInt8](repeating: 0, count: 8)
      bytes += size + size + littleEndian(UInt16(name.count)) + [0, 0] + name + data
    }
    let start = bytes.count
    for (index, (name, data)) in members.enumerated() {
      layout.entries.append(bytes.count)
      let sizes = littleEndian(UInt64(data.count)) + littleEndian(UInt64(data.count))
      let extra = [1, 0, 24, 0] + sizes + littleEndian(UInt64(layout.headers[index]))
      let size = isZip64 ? large : littleEndian(UInt32(data.count))
      bytes +=
        littleEndian(UInt32(0x0201_4B50)) + [45, 0, 45, 0, 0, 8, 0, 0] + [UInt8](repeating: 0, count: 8)
      bytes += size + size + littleEndian(UInt16(name.count)) + [isZip64 ? 28 : 0, 0, 0, 0, 0, 0]
      bytes += [UInt8](repeating: 0, count: 6)
      bytes += isZip64 ? large : littleEndian(UInt32(layout.headers[index]))
      bytes += name + (isZip64 ? extra : [])
    }
    layout.end64 = bytes.count
    let size = bytes.count - start
    if isZip64 {
      let count = littleEndian(UInt64(members.count))
      bytes += littleEndian(UInt32(0x0606_4B50)) + littleEndian(UInt64(44)) + [45, 0, 45, 0]
      bytes += [UInt8](repeating: 0, count: 8) + count + count + littleEndian(UInt64(size))
      bytes += littleEndian(UInt64(start))
      bytes +=
        littleEndian(UInt32(0x0706_4B50)) + [0, 0, 0, 0] + littleEndian(UInt64(layout.end64)) + [1, 0, 0, 0]
    }
    layout.end = bytes.count
    let count = isZip64 ? [0xFF, 0xFF] : littleEndian(UInt16(members.count))
    bytes += littleEndian(UInt32(0x0605_4B50)) + [0, 0, 0, 0] + count + count
    bytes += isZip64 ? large + large : littleEndian(UInt32(size)) + littleEndian(UInt32(start))
    return (bytes + [0, 0], layout)
  }
}
