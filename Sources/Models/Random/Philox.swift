// Counter-based random numbers: the same number for the same (seed, counter), whoever asks and when.

/// Philox 4x32-10. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
package struct Philox: Sendable {
  private let key: (UInt32, UInt32)

  package init(seed: UInt64) {
    key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
  }

  /// The four words of the block at this counter.
  package func block(_ c0: UInt32, _ c1: UInt32, _ c2: UInt32, _ c3: UInt32) -> (
    UInt32, UInt32, UInt32, UInt32
  ) {
    var (c0, c1, c2, c3) = (c0, c1, c2, c3)
    var (k0, k1) = key
    for _ in 0..<10 {
      let (p0, p1) = (UInt64(c0) * 0xD251_1F53, UInt64(c2) * 0xCD9E_8D57)
      (c0, c1, c2, c3) = (
        UInt32(p1 >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: p1), UInt32(p0 >> 32) ^ c3 ^ k1,
        UInt32(truncatingIfNeeded: p0)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (c0, c1, c2, c3)
  }

  /// A uniform number strictly between 0 and 1, named by a row, a sample of it and a position.
  package func uniform(row: UInt64, sample: Int, position: Int) -> Double {
    let words = block(
      UInt32(truncatingIfNeeded: row), UInt32(truncatingIfNeeded: row >> 32),
      UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: position))
    let bits = UInt64(words.0) << 20 | UInt64(words.1) >> 12
    return (Double(bits) + 0.5) * 0x1p-52
  }
}

/// A 64-bit hash of the UTF-8 bytes of a text: FNV-1a, then a finalizer so that similar ids differ in all bits.
package func hash64(_ text: String) -> UInt64 {
  var text = text
  return text.withUTF8(hash64)
}

/// As of a text.
package func hash64(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
  TextHash.final(bytes.reduce(TextHash.start) { TextHash.next($0, $1) })
}

/// The steps of `hash64`.
enum TextHash {
  static let start: UInt64 = 0xcbf2_9ce4_8422_2325

  @inline(__always) static func next(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
    (hash ^ UInt64(byte)) &* 0x100_0000_01b3
  }

  static func final(_ hash: UInt64) -> UInt64 {
    var hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    return hash ^ (hash >> 31)
  }
}
