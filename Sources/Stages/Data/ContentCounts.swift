// How often each content came so far.

/// A table of hashes in which most come once: 16 bytes each.
package struct ContentCounts {
  /// Hashes where they were put, 0 where none was; a power of two of places, half of them free at least.
  private var places: [UInt64] = Array(repeating: 0, count: 1 << 10)
  private var taken = 0
  /// Of contents that came again, how often they came; and of the hash 0.
  private var counts: [UInt64: Int] = [:]
  /// Drawn anew in every process, so that no file can be made whose hashes lie in one place. No result depends on it.
  private let multiplier = UInt64.random(in: .min ... .max) | 1

  package init() {}

  /// Counts one more.
  /// - Returns: how often it came, this time included.
  package mutating func count(_ hash: UInt64) -> Int {
    if hash != 0 {
      let place = place(of: hash)
      guard places[place] == hash else {
        places[place] = hash
        taken += 1
        if taken * 2 > places.count { grow() }
        return 1
      }
    }
    let count = counts[hash, default: hash == 0 ? 0 : 1] + 1
    counts[hash] = count
    return count
  }

  /// Where it is, or where it would be put.
  private func place(of hash: UInt64) -> Int {
    // The upper bits are those that all bits of the hash are in.
    let shift = UInt64(places.count.leadingZeroBitCount + 1)
    var place = Int(truncatingIfNeeded: (hash &* multiplier) >> shift)
    while places[place] != 0, places[place] != hash { place = (place + 1) & (places.count - 1) }
    return place
  }

  private mutating func grow() {
    let hashes = places
    places = Array(repeating: 0, count: hashes.count * 2)
    for hash in hashes where hash != 0 { places[place(of: hash)] = hash }
  }
}
