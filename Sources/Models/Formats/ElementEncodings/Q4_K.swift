// `Q4_K`: 256 values of 4 bits; every 32 have a scale and a minimum of 6 bits.

/// Half scale of the scales, half scale of the minima, 12 bytes of both, 128 bytes of values: the lower halves of each 32 bytes
/// are 32 values, their upper halves the next 32.
enum Q4_K: ElementEncoding {
  static let name = "Q4_K"
  static let blockLength = 256
  static let blockSize = 144

  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    let scale = block.half(at: 0)
    let minimumScale = block.half(at: 2)
    for group in 0..<8 {
      let packed = scaleAndMinimum(block + 4, group)
      let groupScale = scale * Float(packed.scale)
      let minimum = minimumScale * Float(packed.minimum)
      let source = block + (16 + group / 2 * 32)
      let shift = UInt8(truncatingIfNeeded: group % 2 * 4)
      for index in 0..<32 {
        values[group * 32 + index] = groupScale * Float(source.byte(index) &>> shift & 15) - minimum
      }
    }
  }

  /// Scales 0 to 3 (minima 0 to 3) are the lower 6 bits of bytes 0 to 3 (4 to 7), whose upper 2 bits are the upper bits of scales
  /// (minima) 4 to 7; the lower 4 bits of these are the lower (upper) halves of bytes 8 to 11.
  @inline(__always)
  static func scaleAndMinimum(_ packed: UnsafeRawPointer, _ group: Int) -> (scale: UInt8, minimum: UInt8) {
    let (first, second) = (packed.byte(group % 4), packed.byte(4 + group % 4))
    guard group >= 4 else { return (first & 63, second & 63) }
    let low = packed.byte(4 + group)
    return (low & 15 | (first & 0xC0) >> 2, low >> 4 | (second & 0xC0) >> 2)
  }
}
