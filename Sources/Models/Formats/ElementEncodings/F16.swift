// `F16`: IEEE binary16.

enum F16: ElementEncoding {
  static let name = "F16"
  static let blockLength = 1
  static let blockSize = 2

  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    values[0] = block.half(at: 0)
  }
}

/// IEEE binary16 to fp32, exact; a NaN keeps its payload. Without branches, so that a loop over it becomes vectors.
@inline(__always)
package func floatFromHalf(_ bits: UInt16) -> Float {
  let sign = UInt32(bits & 0x8000) << 16
  let magnitude = UInt32(bits & 0x7FFF)
  // The exponent's bias is 112 more in fp32; that of infinity and NaN is moved once more, to the largest.
  let normal = magnitude << 13 &+ 112 << 23
  let special = normal &+ 112 << 23
  let subnormal = (Float(Int32(truncatingIfNeeded: magnitude)) * 0x1p-24).bitPattern
  let value = magnitude < 0x400 ? subnormal : magnitude < 0x7C00 ? normal : special
  return Float(bitPattern: sign | value)
}

/// fp32 to IEEE binary16, to nearest and ties to even; beyond its range infinite; a NaN stays a NaN.
package func halfBits(_ value: Float) -> UInt16 {
  let sign = UInt16(value.bitPattern >> 16 & 0x8000)
  let magnitude = value.magnitude
  if value.isNaN { return sign | 0x7E00 }
  // Subnormal: a multiple of 2^-24, rounded by the conversion.
  if magnitude < 0x1p-14 { return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven)) }
  // Half of the last step beyond the largest, 65504, is a tie that goes to the even neighbour, infinity.
  if magnitude >= 65_520 { return sign | 0x7C00 }
  let bits = magnitude.bitPattern
  let rounded = bits &+ 0xFFF &+ (bits >> 13 & 1)
  return sign | UInt16(truncatingIfNeeded: rounded >> 13 &- 112 << 10)
}
