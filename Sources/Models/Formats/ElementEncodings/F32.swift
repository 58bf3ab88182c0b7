// `F32`: single precision.

enum F32: ElementEncoding {
  static let name = "F32"
  static let blockLength = 1
  static let blockSize = 4

  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    values[0] = Float(bitPattern: UInt32(littleEndian: block.loadUnaligned(as: UInt32.self)))
  }
}
