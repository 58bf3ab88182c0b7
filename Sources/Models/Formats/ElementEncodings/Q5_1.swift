// `Q5_1`: 32 values of 5 bits, one scale and one minimum.

/// Half scale, half minimum, 32 fifth bits, then 16 bytes as in `Q4_0`.
enum Q5_1: ElementEncoding {
  static let name = "Q5_1"
  static let blockLength = 32
  static let blockSize = 24

  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    let scale = block.half(at: 0)
    let minimum = block.half(at: 2)
    let fifthBits = UInt32(littleEndian: block.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    for index in 0..<16 {
      let pair = UInt32(block.byte(8 + index))
      let low = pair & 15 | (fifthBits >> UInt32(index) & 1) << 4
      let high = pair >> 4 | (fifthBits >> UInt32(index + 16) & 1) << 4
      values[index] = Float(Int32(bitPattern: low)) * scale + minimum
      values[index + 16] = Float(Int32(bitPattern: high)) * scale + minimum
    }
  }
}
