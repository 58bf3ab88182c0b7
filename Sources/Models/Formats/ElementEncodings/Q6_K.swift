// `Q6_K`: 256 values of 6 bits around zero; every 16 have a scale of 8 bits.

/// 128 bytes of lower bits, 64 bytes of upper bits, 16 signed scales, half scale of the scales. In each half of the block, of 128
/// values: the lower 4 bits of values 0 to 63 (64 to 127) are the lower (upper) halves of 64 bytes; the upper 2 bits of value
/// 32s + i are at bit 2s of byte i of 32.
enum Q6_K: ElementEncoding {
  static let name = "Q6_K"
  static let blockLength = 256
  static let blockSize = 210

  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    let scale = block.half(at: 208)
    for group in 0..<16 {
      let groupScale = scale * Float(Int8(bitPattern: block.byte(192 + group)))
      // Within its half of the block: the group's first value.
      let (half, first) = (group / 8, group % 8 * 16)
      let lower = block + (half * 64 + first % 64)
      let upper = block + (128 + half * 32 + first % 32)
      let lowerShift = UInt8(truncatingIfNeeded: first / 64 * 4)
      let upperShift = UInt8(truncatingIfNeeded: first / 32 * 2)
      for index in 0..<16 {
        let value = lower.byte(index) &>> lowerShift & 15 | (upper.byte(index) &>> upperShift & 3) << 4
        values[group * 16 + index] = groupScale * Float(Int32(value) - 32)
      }
    }
  }
}
