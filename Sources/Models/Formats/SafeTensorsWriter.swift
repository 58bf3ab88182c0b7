// Writing safetensors: same tensors in, same bytes out; nothing is held whole.

import JSON
import System

/// A tensor to be written.
package struct SafeTensorsOutput {
  package enum DType: String, Sendable {
    case f32 = "F32"
    case bf16 = "BF16"
    case f16 = "F16"
    case u8 = "U8"
    var size: Int {
      switch self {
      case .f32: 4
      case .bf16, .f16: 2
      case .u8: 1
      }
    }
    /// As PyTorch and transformers call it.
    package var torchName: String {
      switch self {
      case .f32: "float32"
      case .bf16: "bfloat16"
      case .f16: "float16"
      case .u8: "uint8"
      }
    }
  }

  package let name: String
  package let shape: [Int]
  package let dtype: DType
  /// Hands the tensor's bytes, little endian and row-major, in as many chunks as it likes.
  let produce: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

  package init(
    name: String, shape: [Int], dtype: DType,
    produce: @escaping (_ emit: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) {
    self.name = name
    self.shape = shape
    self.dtype = dtype
    self.produce = produce
  }

  /// `bytes` must stay valid until the tensor is written.
  package init(name: String, shape: [Int], dtype: DType, bytes: UnsafeRawBufferPointer) {
    self.init(name: name, shape: shape, dtype: dtype) { emit in try emit(bytes) }
  }

  /// A tensor of another file, read when it is written, and rounded.
  /// - Parameters:
  ///   - dtype: of floating point.
  ///   - path: of the other file, for errors.
  /// - Throws: when written, what the source throws, and `FormatError` where a number that is finite is none in `dtype`.
  package init(name: String, shape: [Int], dtype: DType, from source: any TensorSource, path: String) {
    guard let encoding = writableEncoding(named: dtype.rawValue) else {
      preconditionFailure("numbers are not written as \(dtype.rawValue)")
    }
    self.init(name: name, shape: shape, dtype: dtype) { emit in
      let values = try source.floats(name)
      try values.withUnsafeBufferPointer { values in
        let pieceLength = 1 << 20
        for start in stride(from: 0, to: values.count, by: pieceLength) {
          let piece = UnsafeBufferPointer(
            rebasing: values[start..<min(start + pieceLength, values.count)])
          try encoding.encode(piece, of: name, in: path).withUnsafeBytes { try emit($0) }
        }
      }
    }
  }

  /// Of the data. A product that leaves `Int` is a programmer error.
  var byteCount: Int {
    guard let count = checkedProduct(shape + [dtype.size]) else {
      preconditionFailure("shape \(shape) of `\(name)` is out of range")
    }
    return count
  }
}

/// Writes `tensors` in the given order. The header carries `{"format":"pt"}`, which transformers insists on, and is padded
/// with spaces so that the data begin at a multiple of 8.
/// - Throws: `SystemError` from the system (nothing is left under `path`); a tensor whose producer hands other than its
///   declared number of bytes, or a repeated name, is a programmer error.
package func writeSafeTensors(
  _ tensors: [SafeTensorsOutput], to path: String,
  metadata: [(key: String, value: String)] = [("format", "pt")]
) throws {
  var members: [JSONObject.Member] = []
  if !metadata.isEmpty {
    members.append(("__metadata__", .object(JSONObject(metadata.map { ($0.key, .string($0.value)) }))))
  }
  var offset = 0
  var ends: [Int] = []
  for tensor in tensors {
    let end = offset + tensor.byteCount
    let shape = JSON.array(tensor.shape.map { .int(Int64($0)) })
    members.append(
      (
        tensor.name,
        .object(
          JSONObject([
            ("dtype", .string(tensor.dtype.rawValue)), ("shape", shape),
            ("data_offsets", .array([.int(Int64(offset)), .int(Int64(end))])),
          ]))
      ))
    ends.append(end)
    offset = end
  }
  let object = JSONObject(members)
  precondition(object.count == members.count, "two tensors of one name")

  var header = Array(JSON.object(object).text().utf8)
  while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
  precondition(header.count <= SafeTensorsHeader.maximumSize, "the header has \(header.count) bytes")
  let writer = try DurableFile(path, byteCount: 8 + header.count + offset)
  let length = UInt64(header.count)
  try writer.write((0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) })
  try writer.write(header)
  let dataStart = writer.count
  for (tensor, end) in zip(tensors, ends) {
    try tensor.produce { try writer.write($0) }
    precondition(
      writer.count == dataStart + end,
      "`\(tensor.name)` ended at \(writer.count - dataStart), its shape says \(end)")
  }
  try writer.finish()
}
