// Zip archives of stored and deflated members, for tests.

/// A member of an archive.
package struct ZipEntry {
  package var name: String
  package var data: [UInt8]
  package var isDeflated: Bool
  package var flags: UInt16
  /// In the directory, where it is not the data's.
  package var size: Int?
  package var isZip64: Bool

  package init(
    name: String, data: [UInt8], isDeflated: Bool = true, flags: UInt16 = 0, size: Int? = nil,
    isZip64: Bool = false
  ) {
    (self.name, self.data, self.isDeflated) = (name, data, isDeflated)
    (self.flags, self.size, self.isZip64) = (flags, size, isZip64)
  }
}

private func little(_ value: Int, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

/// The bytes of a zip archive, right or wrong.
package func zipArchive(_ entries: [ZipEntry], comment: String = "") -> [UInt8] {
  var bytes: [UInt8] = []
  var directory: [UInt8] = []
  for entry in entries {
    // Head of 10 bytes, the data, their checksum and their size.
    let gzip = CompressedData.gzip(entry.data)
    let data = entry.isDeflated ? Array(gzip[10..<(gzip.count - 8)]) : entry.data
    let checksum = Array(gzip[(gzip.count - 8)..<(gzip.count - 4)])
    let (size, name) = (entry.size ?? entry.data.count, Array(entry.name.utf8))
    let kind = little(entry.isDeflated ? 8 : 0, 2) + [0, 0, 0, 0] + checksum
    let sizes =
      entry.isZip64
      ? little(0xFFFF_FFFF, 4) + little(0xFFFF_FFFF, 4) : little(data.count, 4) + little(size, 4)
    let extra =
      entry.isZip64 ? [1, 0, 24, 0] + little(size, 8) + little(data.count, 8) + little(bytes.count, 8) : []
    let place = entry.isZip64 ? 0xFFFF_FFFF : bytes.count
    directory += little(0x0201_4B50, 4) + [45, 0, 45, 0] + little(Int(entry.flags), 2) + kind + sizes
    directory += little(name.count, 2) + little(extra.count, 2) + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    directory += little(place, 4) + name + extra
    bytes += little(0x0403_4B50, 4) + [45, 0] + little(Int(entry.flags), 2) + kind + sizes
    bytes += little(name.count, 2) + [3, 0] + name + [0, 0, 0] + data
  }
  let isZip64 = entries.contains { $0.isZip64 }
  let start = bytes.count
  bytes += directory
  if isZip64 {
    let end = bytes.count
    bytes += little(0x0606_4B50, 4) + little(44, 8) + [45, 0, 45, 0] + little(0, 8)
    bytes +=
      little(entries.count, 8) + little(entries.count, 8) + little(directory.count, 8) + little(start, 8)
    bytes += little(0x0706_4B50, 4) + little(0, 4) + little(end, 8) + little(1, 4)
  }
  let ends =
    isZip64 ? little(0xFFFF_FFFF, 4) + little(0xFFFF_FFFF, 4) : little(directory.count, 4) + little(start, 4)
  let count = isZip64 ? 0xFFFF : entries.count
  return bytes + little(0x0605_4B50, 4) + little(0, 4) + little(count, 2) + little(count, 2) + ends
    + little(comment.utf8.count, 2) + Array(comment.utf8)
}
