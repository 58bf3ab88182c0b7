// The checksum of a training checkpoint, taken of the bytes on their way to the file.

/// Four interleaved FNV-like sums over 32-bit words, against damage, not against malice.
struct StateChecksum {
  private var lanes = SIMD4<UInt64>(1, 2, 3, 4)
  /// Bytes that stay in a cache between being summed and being written.
  private static let pieceSize = 1 << 20

  /// Adds a tensor, and hands it on piece by piece.
  mutating func add(
    _ bytes: UnsafeRawBufferPointer, then handOn: (UnsafeRawBufferPointer) throws -> Void = { _ in }
  ) rethrows {
    var start = 0
    while start < bytes.count {
      let end = min(start + Self.pieceSize, bytes.count)
      let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
      add(piece: piece)
      try handOn(piece)
      start = end
    }
  }

  private mutating func add(piece: UnsafeRawBufferPointer) {
    var lanes = lanes
    func mix(_ block: SIMD4<UInt32>) {
      lanes = (lanes ^ SIMD4<UInt64>(truncatingIfNeeded: block)) &* SIMD4(repeating: 0x100_0000_01b3)
      lanes ^= lanes &>> SIMD4(repeating: 29)
    }
    let whole = piece.count / 16 * 16
    for offset in stride(from: 0, to: whole, by: 16) {
      mix(piece.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt32>.self))
    }
    var rest = SIMD4(repeating: UInt32(truncatingIfNeeded: piece.count))
    for (index, byte) in piece[whole...].enumerated() {
      rest[index / 4] ^= UInt32(byte) << UInt32(8 * (index % 4))
    }
    mix(rest)
    self.lanes = lanes
  }

  /// Little endian.
  var bytes: [UInt8] {
    (0..<4).flatMap { lane in (0..<8).map { UInt8(truncatingIfNeeded: lanes[lane] >> UInt64(8 * $0)) } }
  }
}
