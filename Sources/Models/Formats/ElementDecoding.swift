// How stored numbers become fp32: plain floats and ggml's block quantisations, bit for bit as ggml does it.

/// A stored number format that can be turned into fp32.
package enum ElementEncoding: String, Sendable, CaseIterable {
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"
  case q8Zero = "Q8_0"
  case q4Zero = "Q4_0"
  case q4One = "Q4_1"

  /// Values stored together; a row is a whole number of blocks.
  package var blockLength: Int {
    switch self {
    case .f32, .f16, .bf16: 1
    case .q8Zero, .q4Zero, .q4One: 32
    }
  }

  /// Bytes of one block.
  package var blockSize: Int {
    switch self {
    case .f32: 4
    case .f16, .bf16: 2
    case .q8Zero: 34
    case .q4Zero: 18
    case .q4One: 20
    }
  }

  /// Decodes as many values as `output` holds. `input` must have exactly their bytes.
  ///
  /// Source: ggml `dequantize_row_q4_0`, `_q4_1`, `_q8_0`. Every product here is exact in fp32 (at most 8 bits times
  /// 11 bits), so whether a compiler fuses the addition cannot change a bit.
  package func decode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Float>) {
    precondition(
      output.count % blockLength == 0 && input.count == output.count / blockLength * blockSize,
      "\(rawValue): \(input.count) bytes for \(output.count) values")
    guard let source = input.baseAddress, let target = output.baseAddress else { return }
    let count = output.count
    switch self {
    case .f32:
      // Little endian on every machine this runs on; loadUnaligned because safetensors data may start anywhere.
      for index in 0..<count {
        target[index] = Float(
          bitPattern: UInt32(littleEndian: source.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
      }
    case .f16:
      for index in 0..<count { target[index] = half(source, 2 * index) }
    case .bf16:
      for index in 0..<count {
        let bits = UInt16(littleEndian: source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
        target[index] = Float(bitPattern: UInt32(bits) << 16)
      }
    case .q8Zero:
      for block in 0..<(count / 32) {
        let start = source + 34 * block
        let values = target + 32 * block
        let scale = half(start, 0)
        let quants = (start + 2).assumingMemoryBound(to: Int8.self)
        for index in 0..<32 { values[index] = Float(quants[index]) * scale }
      }
    case .q4Zero:
      for block in 0..<(count / 32) {
        let start = source + 18 * block
        let values = target + 32 * block
        let scale = half(start, 0)
        let quants = (start + 2).assumingMemoryBound(to: UInt8.self)
        for index in 0..<16 {
          values[index] = Float(Int32(quants[index] & 15) - 8) * scale
          values[index + 16] = Float(Int32(quants[index] >> 4) - 8) * scale
        }
      }
    case .q4One:
      for block in 0..<(count / 32) {
        let start = source + 20 * block
        let values = target + 32 * block
        let scale = half(start, 0)
        let minimum = half(start, 2)
        let quants = (start + 4).assumingMemoryBound(to: UInt8.self)
        for index in 0..<16 {
          values[index] = Float(Int32(quants[index] & 15)) * scale + minimum
          values[index + 16] = Float(Int32(quants[index] >> 4)) * scale + minimum
        }
      }
    }
  }
}

private func half(_ source: UnsafeRawPointer, _ offset: Int) -> Float {
  floatFromHalf(UInt16(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
}

/// IEEE binary16 to fp32, exact; a NaN keeps its payload.
package func floatFromHalf(_ bits: UInt16) -> Float {
  let sign = UInt32(bits & 0x8000) << 16
  let exponent = UInt32(bits >> 10 & 0x1F)
  let fraction = UInt32(bits & 0x3FF)
  switch exponent {
  case 0:
    // Subnormal: fraction * 2^-24, exact in fp32.
    let magnitude = Float(fraction) * 0x1p-24
    return Float(bitPattern: sign | magnitude.bitPattern)
  case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
  default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}

/// fp32 to bfloat16, to nearest and ties to even; a NaN stays a NaN.
package func bfloat16Bits(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  if value.isNaN { return UInt16(bits >> 16) | 0x40 }
  return UInt16((bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
}
