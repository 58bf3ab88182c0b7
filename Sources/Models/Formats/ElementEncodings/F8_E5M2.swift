// `F8_E5M2`: the upper half of half precision.

enum F8_E5M2: ElementEncoding {
  static let name = "F8_E5M2"
  static let blockLength = 1
  static let blockSize = 1

  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    values[0] = floatFromHalf(UInt16(block.byte(0)) << 8)
  }
}
