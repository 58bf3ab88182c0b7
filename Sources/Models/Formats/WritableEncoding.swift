// Encodings that are also written.

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
}
