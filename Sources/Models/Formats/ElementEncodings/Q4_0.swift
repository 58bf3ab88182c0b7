// `Q4_0`: 32 values of 4 bits around zero, one scale.

/// Half scale, then 16 bytes: value i in the lower half of byte i, value i + 16 in its upper half.
enum Q4_0: ElementEncoding {
  static let name = "Q4_0"
  static let blockLength = 32
  static let blockSize = 18

  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    let scale = block.half(at: 0)
    for index in 0..<16 {
      let pair = block.byte(2 + index)
      values[index] = Float(Int32(pair & 15) - 8) * scale
      values[index + 16] = Float(Int32(pair >> 4) - 8) * scale
    }
  }
}
