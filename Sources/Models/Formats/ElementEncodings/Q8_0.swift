// `Q8_0`: 32 values of 8 bits around zero, one scale.

/// Half scale, then 32 signed bytes.
enum Q8_0: ElementEncoding {
  static let name = "Q8_0"
  static let blockLength = 32
  static let blockSize = 34

  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    let scale = block.half(at: 0)
    for index in 0..<32 { values[index] = Float(Int8(bitPattern: block.byte(2 + index))) * scale }
  }
}
