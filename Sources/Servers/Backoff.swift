// How long to wait before a request is sent again.

/// Exponential, with jitter that depends on nothing but a seed, the request and the try: the same run waits the same.
package struct Backoff: Sendable {
  package var first: Double
  package var longest: Double
  package var seed: UInt64

  package init(first: Double = 0.5, longest: Double = 60, seed: UInt64 = 0) {
    (self.first, self.longest, self.seed) = (first, longest, seed)
  }

  /// - Parameter tries: how often it failed; at least 1.
  package func seconds(_ key: UInt64, tries: Int) -> Double {
    var seconds = first
    for _ in 1..<max(2, min(tries, 40)) where tries > 1 { seconds = min(longest, seconds * 2) }
    return min(longest, seconds) * (0.5 + Self.uniform(seed, key, UInt64(tries)))
  }

  /// From 0 up to 1. Source: SplitMix64 (Steele et al., OOPSLA 2014), once for each word.
  private static func uniform(_ words: UInt64...) -> Double {
    var state: UInt64 = 0
    for word in words {
      state = (state ^ word) &+ 0x9E37_79B9_7F4A_7C15
      state = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
      state = (state ^ state >> 27) &* 0x94D0_49BB_1331_11EB
      state ^= state >> 31
    }
    return Double(state >> 11) * 0x1p-53
  }
}
