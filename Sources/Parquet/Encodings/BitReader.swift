// Numbers of a fixed width in bits, lowest bit first.

struct BitReader {
  private var reader: ByteReader
  private var buffer: UInt64 = 0
  private var available = 0

  init(_ bytes: ArraySlice<UInt8>) { reader = ByteReader(bytes) }

  /// - Parameter width: at most 64.
  mutating func next(_ width: Int) throws -> UInt64 {
    guard width <= 32 else {
      let low = try next(32)
      return try next(width - 32) << 32 | low
    }
    while available < width {
      buffer |= UInt64(try reader.byte()) << UInt64(available)
      available += 8
    }
    let value = buffer & ((1 << UInt64(width)) - 1)
    buffer >>= UInt64(width)
    available -= width
    return value
  }
}
