// Encodings that are also written.

import System

/// An encoding whose blocks can be made from fp32.
package protocol WritableEncoding: ElementEncoding {
  /// Encodes `blockLength` values into the `blockSize` bytes at `block`.
  static func encodeBlock(_ values: UnsafePointer<Float>, into block: UnsafeMutableRawPointer)

  /// - Returns: the bytes of `values`, a whole number of blocks; or the index of the first that is finite and does not stay so, or
  ///   the other way round.
  static func encode(_ values: UnsafeBufferPointer<Float>) -> (bytes: [UInt8], unencodable: Int?)
}

/// Every encoding that is written, in the order in which messages name them.
package let writableEncodings: [any WritableEncoding.Type] = [F32.self, F16.self, BF16.self, Q8_0.self]

/// Nil for an encoding that is not written.
package func writableEncoding(named name: String) -> (any WritableEncoding.Type)? {
  writableEncodings.first { $0.name.utf8.elementsEqual(name.utf8) }
}

extension WritableEncoding {
  // A requirement too, so that the loop is compiled for each encoding.
  package static func encode(_ values: UnsafeBufferPointer<Float>) -> (bytes: [UInt8], unencodable: Int?) {
    precondition(values.count % blockLength == 0, "\(values.count) values in blocks of \(blockLength)")
    let count = values.count / blockLength
    let bytes = [UInt8](unsafeUninitializedCapacity: count * blockSize) { buffer, initialized in
      initialized = count * blockSize
      guard let target = buffer.baseAddress, let source = values.baseAddress else { return }
      for block in 0..<count {
        encodeBlock(source + block * blockLength, into: UnsafeMutableRawPointer(target + block * blockSize))
      }
    }
    let decoded = [Float](unsafeUninitializedCapacity: values.count) { buffer, initialized in
      bytes.withUnsafeBytes {
        decode($0, into: UnsafeMutableBufferPointer(rebasing: buffer[..<values.count]))
      }
      initialized = values.count
    }
    return (bytes, values.indices.first { values[$0].isFinite != decoded[$0].isFinite })
  }

  package static func encode(_ values: [Float]) -> (bytes: [UInt8], unencodable: Int?) {
    values.withUnsafeBufferPointer { encode($0) }
  }

  /// The bytes of numbers of a tensor.
  /// - Throws: `FormatError` that names the tensor and the number that cannot be encoded.
  static func encode(
    _ values: UnsafeBufferPointer<Float>, of tensor: String, in path: String
  ) throws -> [UInt8] {
    let (bytes, unencodable) = encode(values)
    guard let unencodable else { return bytes }
    throw FormatError(
      path: path, part: "tensor \(quoted(tensor))",
      "\(values[unencodable]) is beyond the numbers of \(name); write the model as F32, which holds it")
  }
}
