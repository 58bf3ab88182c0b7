// `Q5_K`: 256 values of 5 bits; every 32 have a scale and a minimum of 6 bits.

/// As `Q4_K`, with 32 bytes of fifth bits before the values: bit p of byte i is that of value 32p + i.
enum Q5_K: ElementEncoding {
  static let name = "Q5_K"
  static let blockLength = 256
  static let blockSize = 176

  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    let scale = block.half(at: 0)
    let minimumScale = block.half(at: 2)
    let fifthBits = block + 16
    for group in 0..<8 {
      let packed = Q4_K.scaleAndMinimum(block + 4, group)
      let groupScale = scale * Float(packed.scale)
      let minimum = minimumScale * Float(packed.minimum)
      let source = block + (48 + group / 2 * 32)
      let shift = UInt8(truncatingIfNeeded: group % 2 * 4)
      let plane = UInt8(truncatingIfNeeded: group)
      for index in 0..<32 {
        let value = source.byte(index) &>> shift & 15 | (fifthBits.byte(index) &>> plane & 1) << 4
        values[group * 32 + index] = groupScale * Float(value) - minimum
      }
    }
  }
}
