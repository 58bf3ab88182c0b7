// Pieces of pickles, right or wrong.

/// Pieces of a pickle.
package enum Pickle {
  package static func whole(_ body: [UInt8]) -> [UInt8] { [0x80, 2] + body + [0x2E] }
  package static func string(_ text: String) -> [UInt8] {
    [0x58] + littleEndian(UInt32(text.utf8.count)) + Array(text.utf8)
  }
  package static func integer(_ value: Int) -> [UInt8] { [0x8A, 8] + littleEndian(Int64(value)) }
  package static func tuple(_ parts: [[UInt8]]) -> [UInt8] { [0x28] + parts.flatMap { $0 } + [0x74] }
  package static func integers(_ values: [Int]) -> [UInt8] { tuple(values.map(integer)) }
  package static func global(_ module: String, _ name: String) -> [UInt8] {
    [0x63] + Array("\(module)\n\(name)\n".utf8)
  }
  package static func dictionary(_ items: [(String, [UInt8])]) -> [UInt8] {
    [0x7D, 0x28] + items.flatMap { string($0) + $1 } + [0x75]
  }
  package static func storage(_ type: String, _ key: String, _ count: Int) -> [UInt8] {
    tuple([string("storage"), global("torch", type), string(key), string("cpu"), integer(count)]) + [0x51]
  }
  package static func tensor(_ storage: [UInt8], offset: Int = 0, shape: [Int], strides: [Int]) -> [UInt8] {
    let hooks = global("collections", "OrderedDict") + [0x29, 0x52]
    return global("torch._utils", "_rebuild_tensor_v2")
      + tuple([storage, integer(offset), integers(shape), integers(strides), [0x89], hooks]) + [0x52]
  }
}
