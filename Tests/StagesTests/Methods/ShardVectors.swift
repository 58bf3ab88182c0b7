// METHODS 1.0: how rows are shared out among workers.

import Runner
import Testing

extension Methods {
  @Suite struct ShardVectors {
    /// Of N items the original gives shard i the range from i * (floor(N / S) + 1), which leaves the last shards short or
    /// empty: 7 of 257 and 249 of 2048; 7 of 806 and 805 of 6447; 2, 2, 2, 2, 0, 0, 0, 0 of 8; 3, 3, 3, 3, 3, 1, 0, 0 of 16.
    /// Deviation: sizes here differ by at most one. No result depends on it, since both keep the order.
    @Test(arguments: [
      (2048, 8, [256, 256, 256, 256, 256, 256, 256, 256]), (2048, 4, [512, 512, 512, 512]),
      (6447, 8, [805, 806, 806, 806, 806, 806, 806, 806]), (8, 8, [1, 1, 1, 1, 1, 1, 1, 1]),
      (16, 8, [2, 2, 2, 2, 2, 2, 2, 2]), (3, 8, [0, 0, 1, 0, 0, 1, 0, 1]), (0, 8, [0, 0, 0, 0, 0, 0, 0, 0]),
    ])
    func `shards are ranges one after the other, which cover all rows`(rows: Int, shards: Int, sizes: [Int]) {
      let ranges = (0..<shards).map { Shard(index: $0, count: shards).range(of: rows) }
      #expect(ranges.map(\.count) == sizes)
      #expect(ranges.flatMap { Array($0) } == Array(0..<rows))
    }
  }
}
