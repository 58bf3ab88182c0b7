// Texts that were seen, 16 bytes each, however long they are.

import Models

/// Two texts are taken for one where 128 bits agree. 64 of these are keyed anew in every process, so that no file can be made to
/// hold two such texts; by chance they come once in 2^64 files of a billion texts.
struct TextSet {
  private var hashes: Set<Hash> = []

  private struct Hash: Hashable {
    let fixed: UInt64
    let keyed: Int

    func hash(into hasher: inout Hasher) { hasher.combine(keyed) }
  }

  /// Whether it was not there before.
  mutating func insert(_ text: String) -> Bool {
    var hasher = Hasher()
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    return hashes.insert(Hash(fixed: hash64(text), keyed: hasher.finalize())).inserted
  }
}
