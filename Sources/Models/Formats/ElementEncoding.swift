// How stored numbers become fp32: plain floats and ggml's block quantisations, bit for bit as ggml does it.

/// A stored number format that can be turned into fp32. Values are stored in blocks; a row is a whole number of them.
///
/// Source: ggml `dequantize_row_*` (ggml-quants.c) and gguf's `quants.py`, which give the same bits. Each product and each
/// sum is rounded by itself, in their order. Swift never fuses a product with a sum, so builds and processors agree. Where a
/// scale is NaN or infinite, a result that is NaN may be another NaN.
package protocol ElementEncoding: Sendable {
  /// As GGUF and safetensors have it: `F32`, `Q4_K`.
  static var name: String { get }
  /// Values of one block.
  static var blockLength: Int { get }
  /// Bytes of one block.
  static var blockSize: Int { get }

  /// Decodes the `blockSize` bytes at `block`, which may lie anywhere, into `blockLength` values.
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>)

  /// Decodes as many values as `output` holds. `input` must have exactly their bytes.
  static func decode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Float>)
}

extension ElementEncoding {
  // A requirement too, so that the loop is compiled for each encoding.
  package static func decode(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Float>
  ) {
    let count = output.count / blockLength
    precondition(
      output.count % blockLength == 0 && input.count == count * blockSize,
      "\(name): \(input.count) bytes for \(output.count) values")
    guard let source = input.baseAddress, let target = output.baseAddress else { return }
    for block in 0..<count { decodeBlock(source + block * blockSize, into: target + block * blockLength) }
  }
}

/// Every encoding that is read, in the order in which messages name them.
package let elementEncodings: [any ElementEncoding.Type] = [
  F32.self, F16.self, BF16.self, F64.self, F8_E4M3.self, F8_E5M2.self, Q4_0.self, Q4_1.self, Q5_0.self,
  Q5_1.self, Q8_0.self, Q2_K.self, Q3_K.self,
  Q4_K.self, Q5_K.self, Q6_K.self,
]

/// Nil for a type that is not read as numbers.
package func elementEncoding(named name: String) -> (any ElementEncoding.Type)? {
  elementEncodings.first { $0.name.utf8.elementsEqual(name.utf8) }
}

/// `stored as I8, which is not read; F32, F16 … are`
func unreadStorage(_ storage: String) -> String {
  "stored as \(storage), which is not read; \(elementEncodings.map { $0.name }.joined(separator: ", ")) are"
}

extension UnsafeRawPointer {
  /// The half-precision number at a byte.
  @inline(__always)
  func half(at offset: Int) -> Float {
    floatFromHalf(UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
  }

  @inline(__always)
  func byte(_ offset: Int) -> UInt8 { load(fromByteOffset: offset, as: UInt8.self) }
}
