// `Q3_K`: 256 values of 3 bits around zero; every 16 have a scale of 6 bits around zero.

/// 32 bytes of third bits, 64 bytes of lower bits as in `Q2_K`, 12 bytes of scales, half scale of the scales. Bit p of byte i of
/// the third bits is that of value 32p + i.
enum Q3_K: ElementEncoding {
  static let name = "Q3_K"
  static let blockLength = 256
  static let blockSize = 110

  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    let scale = block.half(at: 108)
    for group in 0..<16 {
      let groupScale = scale * Float(Int32(groupScaleBits(block + 96, group)) - 32)
      let source = block + (32 + group / 8 * 32 + group % 2 * 16)
      let thirdBits = block + group % 2 * 16
      let shift = UInt8(truncatingIfNeeded: group % 8 / 2 * 2)
      let plane = UInt8(truncatingIfNeeded: group / 2)
      for index in 0..<16 {
        let value = source.byte(index) &>> shift & 3 | (thirdBits.byte(index) &>> plane & 1) << 2
        values[group * 16 + index] = groupScale * Float(Int32(value) - 4)
      }
    }
  }

  /// The lower 4 bits of scales 0 to 7 (8 to 15) are the lower (upper) halves of the first 8 bytes; the upper 2 bits of scale g
  /// are at bit g / 4 * 2 of byte 8 + g % 4.
  @inline(__always)
  private static func groupScaleBits(_ packed: UnsafeRawPointer, _ group: Int) -> UInt8 {
    let low = packed.byte(group % 8) &>> UInt8(truncatingIfNeeded: group / 8 * 4) & 15
    let high = packed.byte(8 + group % 4) &>> UInt8(truncatingIfNeeded: group / 4 * 2) & 3
    return low | high << 4
  }
}
