// Texts that were seen, 16 bytes each, however long they are.

import Models

/// Two texts are taken for one where 128 bits agree. 64 of these are keyed anew in every process, so that no file can be made to
/// hold two such texts; by chance they come once in 2^64 files of a billion texts.
struct TextSet {
  /// A power of two of places, half of them free at least. The keyed bits say where a text is put.
  private var places = [Hash](repeating: Hash(fixed: 0, keyed: 0), count: 1 << 4)
  private var taken = 0

  private struct Hash {
    let fixed: UInt64
    /// Never 0 of a text.
    let keyed: UInt64
  }

  /// Whether it was not there before.
  mutating func insert(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { insert(UnsafeRawBufferPointer($0)) }
  }

  /// A text by its UTF-8 bytes.
  mutating func insert(_ text: UnsafeRawBufferPointer) -> Bool {
    var hasher = Hasher()
    hasher.combine(bytes: text)
    let keyed = UInt64(bitPattern: Int64(hasher.finalize()))
    let hash = Hash(fixed: hash64(text.assumingMemoryBound(to: UInt8.self)), keyed: keyed == 0 ? 1 : keyed)
    let place = place(of: hash)
    guard places[place].keyed == 0 else { return false }
    places[place] = hash
    taken += 1
    if taken * 2 > places.count { grow() }
    return true
  }

  /// Where it is, or where it would be put.
  private func place(of hash: Hash) -> Int {
    var place = Int(truncatingIfNeeded: hash.keyed) & (places.count - 1)
    while places[place].keyed != 0, places[place].keyed != hash.keyed || places[place].fixed != hash.fixed {
      place = (place + 1) & (places.count - 1)
    }
    return place
  }

  private mutating func grow() {
    let hashes = places
    places = Array(repeating: Hash(fixed: 0, keyed: 0), count: hashes.count * 2)
    for hash in hashes where hash.keyed != 0 { places[place(of: hash)] = hash }
  }
}
