// `F16`: IEEE binary16.

package enum F16: WritableEncoding {
  package static let name = "F16"
  package static let blockLength = 1
  package static let blockSize = 2

  @inline(__always)
  package static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    values[0] = block.half(at: 0)
  }

  @inline(__always)
  package static func encodeBlock(_ values: UnsafePointer<Float>, into block: UnsafeMutableRawPointer) {
    block.storeBytes(of: Float16(values[0]).bitPattern.littleEndian, as: UInt16.self)
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
