// Writing GGUF, version 3: same metadata and tensors in, same bytes out; nothing is held whole.

import System

/// A tensor to be written.
package struct GGUFOutput {
  package let name: String
  /// Outermost dimension first.
  package let shape: [Int]
  package let type: GGMLType
  /// Hands the tensor's bytes in as many chunks as it likes.
  let produce: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

  package init(
    name: String, shape: [Int], type: GGMLType,
    produce: @escaping (_ emit: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) {
    self.name = name
    self.shape = shape
    self.type = type
    self.produce = produce
  }

  var byteCount: Int {
    guard let count = checkedProduct(shape), let row = shape.last, row % type.blockLength == 0,
      let bytes = checkedProduct([count / type.blockLength, type.blockSize])
    else { preconditionFailure("`\(name)` of shape \(shape) is no whole number of \(type.name) blocks") }
    return bytes
  }
}

/// Writes `tensors` in the given order, their data aligned to 32 bytes as every reader expects unasked.
/// - Throws: `SystemError` from the system, and what a producer throws (nothing is left under `path`); a tensor whose producer hands
///   other than its declared number of bytes is a programmer error.
package func writeGGUF(metadata: GGUFMetadataOutput, tensors: [GGUFOutput], to path: String) throws {
  let alignment = 32
  func padded(_ size: Int) -> Int { (size + alignment - 1) / alignment * alignment }
  var header = GGUFFile.magic
  func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { header.append(contentsOf: $0) }
  }
  append(3 as UInt32)
  append(UInt64(tensors.count))
  append(UInt64(metadata.count))
  header += metadata.bytes
  var dataSize = 0
  for tensor in tensors {
    precondition((1...64).contains(tensor.name.utf8.count), "`\(tensor.name)` is no name for a tensor")
    append(UInt64(tensor.name.utf8.count))
    header += Array(tensor.name.utf8)
    append(UInt32(tensor.shape.count))
    for size in tensor.shape.reversed() { append(UInt64(size)) }
    append(tensor.type.number)
    append(UInt64(dataSize))
    dataSize += padded(tensor.byteCount)
  }
  header += [UInt8](repeating: 0, count: padded(header.count) - header.count)
  let writer = try DurableFile(path, byteCount: header.count + dataSize)
  try writer.write(header)
  for tensor in tensors {
    let end = writer.count + tensor.byteCount
    try tensor.produce { try writer.write($0) }
    precondition(
      writer.count == end, "`\(tensor.name)` ended \(writer.count - end) bytes after its shape says")
    try writer.write([UInt8](repeating: 0, count: padded(end) - end))
  }
  try writer.finish()
}
