// Builders of zip archives, pickles and PyTorch files, right or wrong.

/// A zip archive of stored members.
struct ZipBuilder {
  var members: [(name: [UInt8], data: [UInt8])] = []
  /// Directory entries and end with their numbers in the zip64 fields, as in files of more than 4 GiB.
  var isZip64 = false

  mutating func add(_ name: String, _ data: [UInt8]) { members.append((Array(name.utf8), data)) }

  /// Where the parts begin, for damage.
  struct Layout {
    var headers: [Int] = []
    var entries: [Int] = []
    var end64 = 0
    var end = 0
  }

  func bytes() -> [UInt8] { build().bytes }

  func build() -> (bytes: [UInt8], layout: Layout) {
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

/// Pieces of a pickle.
enum Pickle {
  static func whole(_ body: [UInt8]) -> [UInt8] { [0x80, 2] + body + [0x2E] }
  static func string(_ text: String) -> [UInt8] {
    [0x58] + littleEndian(UInt32(text.utf8.count)) + Array(text.utf8)
  }
  static func integer(_ value: Int) -> [UInt8] { [0x8A, 8] + littleEndian(Int64(value)) }
  static func tuple(_ parts: [[UInt8]]) -> [UInt8] { [0x28] + parts.flatMap { $0 } + [0x74] }
  static func integers(_ values: [Int]) -> [UInt8] { tuple(values.map(integer)) }
  static func global(_ module: String, _ name: String) -> [UInt8] {
    [0x63] + Array("\(module)\n\(name)\n".utf8)
  }
  static func dictionary(_ items: [(String, [UInt8])]) -> [UInt8] {
    [0x7D, 0x28] + items.flatMap { string($0) + $1 } + [0x75]
  }
  static func storage(_ type: String, _ key: String, _ count: Int) -> [UInt8] {
    tuple([string("storage"), global("torch", type), string(key), string("cpu"), integer(count)]) + [0x51]
  }
  static func tensor(_ storage: [UInt8], offset: Int = 0, shape: [Int], strides: [Int]) -> [UInt8] {
    let hooks = global("collections", "OrderedDict") + [0x29, 0x52]
    return global("torch._utils", "_rebuild_tensor_v2")
      + tuple([storage, integer(offset), integers(shape), integers(strides), [0x89], hooks]) + [0x52]
  }
}

/// A file of `torch.save`.
struct PyTorchBuilder {
  var tensors: [(name: String, value: [UInt8])] = []
  var storages: [[UInt8]] = []
  private var values: [String: [UInt8]] = [:]

  mutating func add(_ name: String, _ values: [Float], shape: [Int], strides: [Int]? = nil) {
    add(
      name, bytes: values.flatMap { littleEndian($0.bitPattern) }, "FloatStorage", size: 4, shape: shape,
      strides: strides)
  }

  mutating func add(
    _ name: String, bytes: [UInt8], _ type: String, size: Int = 1, shape: [Int], strides: [Int]? = nil
  ) {
    let rowMajor = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
    let storage = Pickle.storage(type, "\(storages.count)", bytes.count / size)
    values[name] = Pickle.tensor(storage, shape: shape, strides: strides ?? rowMajor)
    tensors.append((name, values[name] ?? []))
    storages.append(bytes)
  }

  /// The same tensor under another name.
  mutating func add(_ name: String, sharing other: String) { tensors.append((name, values[other] ?? [])) }

  func bytes() -> [UInt8] {
    var zip = ZipBuilder()
    zip.add("m/data.pkl", Pickle.whole(Pickle.dictionary(tensors.map { ($0.name, $0.value) })))
    for (key, bytes) in storages.enumerated() { zip.add("m/data/\(key)", bytes) }
    return zip.bytes()
  }
}
