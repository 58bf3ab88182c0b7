// `Q4_1`: 32 values of 4 bits, one scale and one minimum.

/// Half scale, half minimum, then 16 bytes as in `Q4_0`.
enum Q4_1: ElementEncoding {
  static let name = "Q4_1"
  static let blockLength = 32
  static let blockSize = 20

  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    let scale = block.half(at: 0)
    let minimum = block.half(at: 2)
    for index in 0..<16 {
      let pair = block.byte(4 + index)
      values[index] = Float(Int32(pair & 15)) * scale + minimum
      values[index + 16] = Float(Int32(pair >> 4)) * scale + minimum
    }
  }
}
