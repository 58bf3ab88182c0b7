// `Q2_K`: 256 values of 2 bits; every 16 have a scale and a minimum of 4 bits.

/// 16 bytes of scale (lower half) and minimum (upper half), 64 bytes of values, half scale of the scales, half scale of the
/// minima. Bits 2s and 2s + 1 of byte i of the first (second) 32 bytes are value 32s + i of the first (second) 128.
enum Q2_K: ElementEncoding {
  static let name = "Q2_K"
  static let blockLength = 256
  static let blockSize = 84

  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    let scale = block.half(at: 80)
    let minimumScale = block.half(at: 82)
    for group in 0..<16 {
      let packed = block.byte(group)
      let groupScale = scale * Float(packed & 15)
      let minimum = minimumScale * Float(packed >> 4)
      let source = block + (16 + group / 8 * 32 + group % 2 * 16)
      let shift = UInt8(truncatingIfNeeded: group % 8 / 2 * 2)
      for index in 0..<16 {
        values[group * 16 + index] = groupScale * Float(source.byte(index) &>> shift & 3) - minimum
      }
    }
  }
}
