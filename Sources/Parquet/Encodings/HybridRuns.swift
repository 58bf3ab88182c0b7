// RLE: runs of one number, and groups of eight in few bits. Levels, dictionary indices and booleans are written so.

enum HybridRuns {
  /// - Parameters:
  ///   - width: bits of a number, at most 32.
  ///   - count: what the page declares; the caller has bounded it.
  static func read(_ bytes: ArraySlice<UInt8>, width: Int, count: Int) throws -> [UInt32] {
    guard width <= 32 else { throw ParquetFault("numbers of \(width) bits; at most 32 are allowed") }
    var reader = ByteReader(bytes)
    var numbers: [UInt32] = []
    numbers.reserveCapacity(count)
    while numbers.count < count {
      let header = try reader.varint()
      let length = Int(min(header >> 1, UInt64(UInt32.max)))
      if header & 1 == 0 {
        var value: UInt32 = 0
        for shift in stride(from: UInt32(0), to: UInt32(width), by: 8) {
          value |= UInt32(try reader.byte()) << shift
        }
        guard width == 32 || value < 1 << UInt32(width) else {
          throw ParquetFault("the number \(value) has more than \(width) bits")
        }
        numbers.append(contentsOf: repeatElement(value, count: min(length, count - numbers.count)))
      } else {
        let needed = min(length * 8, count - numbers.count)
        // The last group may be written without the bytes that nothing needs.
        var bits = BitReader(try reader.take(min(length * width, reader.remaining)))
        for _ in 0..<needed { numbers.append(UInt32(truncatingIfNeeded: try bits.next(width))) }
      }
    }
    return numbers
  }

  /// How many bits the numbers up to `maximum` take.
  static func width(of maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }
}
