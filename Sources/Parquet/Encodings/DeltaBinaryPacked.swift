// DELTA_BINARY_PACKED: blocks of differences in few bits. Source: Encodings.md of apache/parquet-format.

enum DeltaBinaryPacked {
  /// Integers modulo 2^64, and where they end.
  /// - Parameter limit: no more of them may be declared.
  static func read(_ reader: inout ByteReader, upTo limit: Int) throws -> [Int64] {
    let blockSize = try reader.count(of: "the block size", upTo: 1 << 20)
    let miniblocks = try reader.count(of: "the number of miniblocks", upTo: 1 << 10)
    guard blockSize > 0, miniblocks > 0, blockSize % miniblocks == 0, blockSize / miniblocks % 8 == 0 else {
      throw ParquetFault("\(miniblocks) miniblocks in a block of \(blockSize)")
    }
    let size = blockSize / miniblocks
    let count = try reader.count(of: "the number of values", upTo: limit)
    var last = try reader.zigzag()
    guard count > 0 else { return [] }
    var values = [last]
    values.reserveCapacity(count)
    while values.count < count {
      let least = try reader.zigzag()
      let widths = try reader.take(miniblocks)
      for width in widths where values.count < count {
        guard width <= 64 else { throw ParquetFault("differences of \(width) bits; at most 64 are allowed") }
        var bits = BitReader(try reader.take(size / 8 * Int(width)))
        for _ in 0..<min(size, count - values.count) {
          last = last &+ least &+ Int64(bitPattern: try bits.next(Int(width)))
          values.append(last)
        }
      }
    }
    return values
  }
}
