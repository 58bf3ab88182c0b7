// Hashes of many texts at once are those of each alone.

import Models
import Testing

@Suite struct ManyTextHashesTests {
  @Test(arguments: [0, 1, 3, 4, 5, 9, 100]) func `many hashes are those of each text alone`(count: Int) {
    // Lengths of all kinds, 0 among them, and runs of the same.
    let texts = (0..<count).map { index in
      [UInt8]((0..<(index * index * 7 % 23)).map { UInt8(truncatingIfNeeded: index &* 31 &+ $0 &* 17) })
    }
    var ends: [Int] = []
    for text in texts { ends.append((ends.last ?? 0) + text.count) }
    let found = texts.flatMap { $0 }.withUnsafeBufferPointer { hash64(texts: $0, endingAt: ends) }
    #expect(found == texts.map { $0.withUnsafeBufferPointer(hash64) })
  }

  @Test func `a hash is FNV-1a with a finalizer`() {
    // Source: the reference values of FNV-1a, `a` and `foobar`, through the finalizer of SplitMix64.
    func finalized(_ hash: UInt64) -> UInt64 {
      var hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
      hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
      return hash ^ (hash >> 31)
    }
    #expect(hash64("a") == finalized(0xaf63_dc4c_8601_ec8c))
    #expect(hash64("foobar") == finalized(0x8594_4171_f739_67e8))
  }
}
