// `F64`: double precision, rounded to single.

enum F64: ElementEncoding {
  static let name = "F64"
  static let blockLength = 1
  static let blockSize = 8

  /// To nearest and ties to even; beyond the range of fp32 infinite.
  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    values[0] = Float(Double(bitPattern: UInt64(littleEndian: block.loadUnaligned(as: UInt64.self))))
  }
}
