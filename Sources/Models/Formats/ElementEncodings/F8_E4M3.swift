// `F8_E4M3`: eight bits, four of them exponent, with neither infinity nor more than one NaN of each sign.

enum F8_E4M3: ElementEncoding {
  static let name = "F8_E4M3"
  static let blockLength = 1
  static let blockSize = 1

  /// Exact. Source: Open Compute Project, OFP8 1.0, table 1; PyTorch's `float8_e4m3fn`.
  @inline(__always)
  static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    let sign = UInt32(block.byte(0) & 0x80) << 24
    let magnitude = UInt32(block.byte(0) & 0x7F)
    // The exponent's bias is 7, in fp32 127.
    let normal = (magnitude + (120 << 3)) << 20
    let subnormal = (Float(magnitude) * 0x1p-9).bitPattern
    let value = magnitude < 8 ? subnormal : magnitude < 0x7F ? normal : 0x7FC0_0000
    values[0] = Float(bitPattern: sign | value)
  }
}
