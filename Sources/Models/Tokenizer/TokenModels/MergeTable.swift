// Which pairs of tokens merge: a table that is asked several times for every byte that is encoded.

/// Open addressing with linear probing. A dictionary of Swift takes three times as long to say that a pair does not merge.
struct MergeTable: Sendable {
  /// A rank above a result, so that the lower merges first.
  struct Merge: Sendable, Equatable, Comparable {
    fileprivate let value: UInt64

    /// Of a pair that does not merge; above every other.
    static let none = Merge(value: .max)

    fileprivate init(value: UInt64) { self.value = value }

    init(rank: Int32, result: Int32) {
      value = UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(bitPattern: result))
    }

    var rank: UInt32 { UInt32(truncatingIfNeeded: value >> 32) }
    var result: Int32 { Int32(truncatingIfNeeded: value) }

    @inline(__always)
    static func < (a: Merge, b: Merge) -> Bool { a.value < b.value }
  }

  /// A pair, or `free`; a merge stands where its pair does.
  private var keys: [UInt64]
  private var merges: [Merge]
  /// Odd, and another in each process, so that no file can be made whose pairs collide; what is found does not depend on it.
  private let multiplier = UInt64(truncatingIfNeeded: Hasher().finalize()) | 1
  private let shift: UInt64

  /// No pair has negative ids.
  private static let free = UInt64.max

  /// - Parameter capacity: no more pairs than these are set.
  init(capacity: Int) {
    // At most half of the places are taken.
    var bits = 4
    while 1 << bits < 2 * capacity { bits += 1 }
    keys = [UInt64](repeating: Self.free, count: 1 << bits)
    merges = [Merge](repeating: .none, count: 1 << bits)
    shift = UInt64(64 - bits)
  }

  @inline(__always)
  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// Where `key` stands, or would.
  @inline(__always)
  private func place(of key: UInt64) -> Int {
    // Source: Dietzfelbinger, Hagerup, Katajainen, Penttonen (1997): multiply-shift.
    var place = Int(truncatingIfNeeded: (key &* multiplier) >> shift)
    while keys[place] != key, keys[place] != Self.free { place = (place &+ 1) & (keys.count &- 1) }
    return place
  }

  @inline(__always)
  subscript(left: Int32, right: Int32) -> Merge {
    get { merges[place(of: Self.key(left, right))] }
    set {
      let key = Self.key(left, right)
      let place = place(of: key)
      keys[place] = key
      merges[place] = newValue
    }
  }
}
