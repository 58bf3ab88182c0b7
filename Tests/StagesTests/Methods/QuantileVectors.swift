// METHODS 1.7: quantiles of rewards.

import Foundation
import JSON
import Runner
import Stages
import System
import Testing

extension Methods {
  @Suite struct QuantileVectors {
    let bench: StageBench
    init() throws { bench = try StageBench() }

    private func quantiles(_ rewards: [[JSON]], _ options: JSON) throws -> [[Int?]] {
      let rows = rewards.enumerated().map { sampledRow("p\($0)", [("rewards", $1)]) }
      return try #require(try bench.run(QuantizeStage(), options, rows: rows)["rows"])
        .map { $0["quantiles"]?.arrayValue?.map(\.intValue) ?? [] }
    }

    /// m = floor(n / 5) samples a class. What is left over goes to the worst class in the original (hazard 12), and one each to
    /// the best classes by default. Where n is 0 the original fails.
    @Test(arguments: [
      (0, [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]), (1, [0, 0, 0, 0, 1], [1, 0, 0, 0, 0]),
      (3, [0, 0, 0, 0, 3], [1, 1, 1, 0, 0]), (5, [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]),
      (9, [1, 1, 1, 1, 5], [2, 2, 2, 2, 1]), (14, [2, 2, 2, 2, 6], [3, 3, 3, 3, 2]),
      (20, [4, 4, 4, 4, 4], [4, 4, 4, 4, 4]), (96, [19, 19, 19, 19, 20], [20, 19, 19, 19, 19]),
    ])
    func `classes have these sizes, by the original's remainder and by ours`(
      count: Int, worst: [Int], spread: [Int]
    ) throws {
      // Every reward once, in an order that is not theirs: 37 and 101 have no common factor.
      let rewards = (0..<count).map { JSON.int(Int64($0 * 37 % 101)) }
      for (remainder, sizes) in [("worst", worst), ("spread", spread)] {
        #expect(
          classSizes(count: count, classes: 5, remainder: try #require(Remainder(rawValue: remainder)))
            == sizes)
        for scope in ["prompt", "global"] {
          let found = try quantiles([rewards], ["remainder": .string(remainder), "scope": .string(scope)])[0]
          #expect((0..<5).map { number in found.count { $0 == number } } == sizes, "\(remainder), \(scope)")
          // Each of a class has a higher reward than each of the next.
          let ordered = zip(found, rewards).sorted {
            ($0.1.intValue ?? 0) > ($1.1.intValue ?? 0)
          }.compactMap(\.0)
          #expect(ordered == ordered.sorted(), "\(remainder), \(scope)")
        }
      }
      #expect((worst == spread) == (count % 5 == 0))
    }

    /// Written by hand: descending, equal ones as they stand, nulls without a class.
    @Test(
      arguments: [
        // Five equal ones in two classes: 2 each and one left over.
        ([1, 1, 1, 1, 1], 2, [0, 0, 1, 1, 1], [0, 0, 0, 1, 1]),
        // A tie over the boundary: the earlier of the two is in the better class.
        ([0, 2, 1, 1], 2, [1, 0, 0, 1], [1, 0, 0, 1]), ([0, 1, 1.0, 1], 2, [1, 0, 0, 1], [1, 0, 0, 1]),
        ([3, 3, 2, 2, 2, 1], 3, [0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2]),
        // Nulls count for nothing.
        ([nil, 1, nil, 2], 2, [nil, 1, nil, 0], [nil, 1, nil, 0]),
        ([nil, 5, 4, nil, 3], 2, [nil, 0, 1, nil, 1], [nil, 0, 0, nil, 1]),
        ([nil, nil], 2, [nil, nil], [nil, nil]),
        // 0.0 and -0.0 are equal.
        ([-0.0, 0.0], 2, [0, 1], [0, 1]),
        // Fewer than there are classes: all in the worst one, or one each in the best ones.
        ([7, 9], 5, [4, 4], [1, 0]), ([], 5, [], []),
      ] as [([JSON], Int, [Int?], [Int?])])
    func `equal rewards keep their order, also over a boundary, and nulls have no class`(
      rewards: [JSON], classes: Int, worst: [Int?], spread: [Int?]
    ) throws {
      let count: JSON = .int(Int64(classes))
      #expect(try quantiles([rewards], ["classes": count, "remainder": "worst"]) == [worst])
      #expect(try quantiles([rewards], ["classes": count]) == [spread])
    }

    /// The released Quark has `scope: prompt`; its first version and the toxicity pools rank among all samples.
    @Test func `ranked among all, prompts share the classes, and equal rewards go by prompt`() throws {
      let rewards: [[JSON]] = [[1, 2, nil], [3, 2], [9, 2]]
      // In descending order: 9 (third prompt), 3, then 2 of each prompt in turn, then 1. Six in three classes.
      #expect(
        try quantiles(rewards, ["classes": 3, "scope": "global"]) == [[2, 1, nil], [0, 1], [0, 2]])
      #expect(try quantiles(rewards, ["classes": 2]) == [[1, 0, nil], [0, 1], [0, 1]])
      // 6 = 4 + 2: two left over.
      #expect(
        try quantiles(rewards, ["classes": 4, "scope": "global", "remainder": "worst"])
          == [[3, 2, nil], [1, 3], [0, 3]])
      #expect(
        try quantiles(rewards, ["classes": 4, "scope": "global"]) == [[3, 1, nil], [0, 1], [0, 2]])
    }

    /// `Fixtures/pools/make_pools.py`, an independent program.
    @Test func `quantiles of random rewards are those of the rule`() throws {
      let cases = try #require(try poolCases()["quantiles"]?.arrayValue)
      #expect(cases.count == 32)
      for found in cases {
        let rows = try quantiles(
          [try #require(found["rewards"]?.arrayValue)],
          ["classes": try #require(found["classes"]), "remainder": try #require(found["remainder"])])
        #expect(rows == [found["quantiles"]?.arrayValue?.map(\.intValue)], "\(found.text())")
      }
    }
  }
}

/// What an independent program computes from the rules of `quantize` and `pool`.
func poolCases() throws -> JSON {
  let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/pools/pools.json")
  return try JSON(parsing: try File.read(file.path))
}
