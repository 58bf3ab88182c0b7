// A table of hashes counts as a dictionary does.

import Stages
import Testing

@Suite struct ContentCountsTests {
  @Test func `each hash is counted, however many there are and how often they come`() {
    var counts = ContentCounts()
    var expected: [UInt64: Int] = [:]
    var state: UInt64 = 1
    for index in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // New ones, some that come again, neighbours, and 0.
      let hash = [state, state >> 54, UInt64(index), UInt64(index % 3) << 62][index % 4]
      expected[hash, default: 0] += 1
      #expect(counts.count(hash) == expected[hash])
    }
    #expect(expected[0].map { $0 > 1000 } == true && expected.count > 9000)
  }
}
