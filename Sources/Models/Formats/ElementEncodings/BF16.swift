// `BF16`: the upper half of single precision.

package enum BF16: WritableEncoding {
  package static let name = "BF16"
  package static let blockLength = 1
  package static let blockSize = 2

  @inline(__always)
  package static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    values[0] = Float(
      bitPattern: UInt32(UInt16(littleEndian: block.loadUnaligned(as: UInt16.self))) << 16)
  }

  @inline(__always)
  package static func encodeBlock(_ values: UnsafePointer<Float>, into block: UnsafeMutableRawPointer) {
    block.storeBytes(of: bfloat16Bits(values[0]).littleEndian, as: UInt16.self)
  }
}

/// fp32 to bfloat16, to nearest and ties to even; a NaN stays a NaN.
package func bfloat16Bits(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  if value.isNaN { return UInt16(bits >> 16) | 0x40 }
  return UInt16((bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
}
