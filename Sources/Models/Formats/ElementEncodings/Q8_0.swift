// `Q8_0`: 32 values of 8 bits around zero, one scale.

/// Half scale, then 32 signed bytes.
package enum Q8_0: WritableEncoding {
  package static let name = "Q8_0"
  package static let blockLength = 32
  package static let blockSize = 34

  @inline(__always)
  package static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    let scale = block.half(at: 0)
    for index in 0..<32 { values[index] = Float(Int8(bitPattern: block.byte(2 + index))) * scale }
  }

  /// The largest magnitude becomes 127; ties are rounded away from zero. Source: ggml `quantize_row_q8_0_ref`.
  package static func encodeBlock(_ values: UnsafePointer<Float>, into block: UnsafeMutableRawPointer) {
    var largest: Float = 0
    for index in 0..<32 { largest = max(largest, values[index].magnitude) }
    let scale = largest / 127
    let inverse = scale == 0 ? 0 : 1 / scale
    block.storeBytes(of: Float16(scale).bitPattern.littleEndian, as: UInt16.self)
    for index in 0..<32 {
      let rounded = (values[index] * inverse).rounded(.toNearestOrAwayFromZero)
      // Only what is not finite leaves the range; the caller sees it by what it decodes to.
      let quant = rounded.isNaN ? 0 : Int8(max(-127, min(127, rounded)))
      block.storeBytes(of: quant, toByteOffset: 2 + index, as: Int8.self)
    }
  }
}
