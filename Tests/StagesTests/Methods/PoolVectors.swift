// METHODS 1.7: which samples are picked from a pool, and which stay in it.

import JSON
import Runner
import Stages
import Testing

extension Methods {
  @Suite struct PoolVectors {
    let bench: StageBench
    init() throws { bench = try StageBench() }

    private func pool(_ row: Row, _ options: JSON, history: [Row]? = nil, seed: UInt64 = 1) throws -> (
      rows: Row?, state: Row?
    ) {
      let outputs = try bench.run(PoolStage(), options, rows: [row], history: history, seed: seed)
      return (outputs["rows"]?.first, outputs["state"]?.first)
    }

    /// Places of the samples in the row that `sampledRow` made.
    private func places(_ row: Row?) -> [Int] {
      (row?["generations"]?.arrayValue ?? []).compactMap { Int($0.stringValue?.dropFirst(2) ?? "") }
    }

    // MARK: RM: so many of each class

    /// want = min(k, size), best class first; k that is null takes everything; an empty class gives nothing.
    @Test(
      arguments: [
        ([0, 1, 2, 0, 1, 2, 0, 1, 2], 2, [0, 0, 1, 1, 2, 2]), ([4, 4, 4, 0], 2, [0, 4, 4]),
        ([4, 4, 4], 2, [4, 4]),
        ([1, 0], 2, [0, 1]), ([1, nil, 0, 1], nil, [0, 1, 1]),
      ] as [([JSON], JSON, JSON)])
    func `so many of each quantile are picked, the best quantile first`(
      quantiles: [JSON], perClass: JSON, picked: JSON
    ) throws {
      let found = try pool(sampledRow("a", [("quantiles", quantiles)]), ["per_class": perClass])
      #expect(found.rows?["quantiles"] == picked)
    }

    /// A permutation is walked and samples with fewer than 64 tokens are taken; where they are too few it is walked again, and
    /// any others are taken.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func `a second walk of the same permutation takes what is too long`(seed: UInt64) throws {
      let lengths = [64, 63, 70, 5, 64, 10, 200, 12]
      let row = sampledRow(
        "a",
        [
          ("quantiles", lengths.map { _ in 0 }), ("lengths", lengths.map { .int(Int64($0)) }),
        ])
      // Without a bound the whole permutation is accepted as it is.
      let permutation = places(try pool(row, ["per_class": 8], seed: seed).rows)
      try #require(permutation.sorted() == Array(0..<8))
      for wanted in 1...8 {
        var walked: [Int] = []
        for place in permutation where walked.count < wanted && lengths[place] < 64 { walked.append(place) }
        for place in permutation where walked.count < wanted && !walked.contains(place) {
          walked.append(place)
        }
        let options: JSON = ["per_class": .int(Int64(wanted)), "max_tokens": 64]
        #expect(places(try pool(row, options, seed: seed).rows) == walked, "\(wanted) wanted")
      }
    }

    /// 64 tokens are too many, 63 are not.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func `of short and long samples the short ones are picked`(seed: UInt64) throws {
      let row = sampledRow("a", [("quantiles", [0, 0, 0, 0]), ("lengths", [64, 63, 70, 5])])
      let two = places(try pool(row, ["per_class": 2, "max_tokens": 64], seed: seed).rows)
      #expect(two.sorted() == [1, 3])
      let three = places(try pool(row, ["per_class": 3, "max_tokens": 64], seed: seed).rows)
      try #require(three.count == 3)
      #expect(three.prefix(2).sorted() == [1, 3] && [0, 2].contains(three[2]))
    }

    // MARK: LMC and LMU: so many of each prompt

    /// n div C of each class in the order of the list, n mod C pending. A class that has fewer adds what it lacks to what is
    /// pending, which is taken from the pool in its order: in the original from any sample, by default from samples of listed
    /// classes (hazard 15). In each case here no class has more than its quota, so that nothing is drawn.
    @Test(
      arguments: [
        // 6 of 3 classes, 2 each; `Fair` has none and `Bad` one: 3 pending, and Good is used up. Of any class: the near miss is
        // taken.
        (
          ["Good", "Bad", "Bad.", "Good"], ["Good", "Fair", "Bad"], 6, ["Good", "Good", "Bad"],
          ["Good", "Good", "Bad", "Bad."]
        ),
        // 2 of 3 classes: quota 0 and 2 pending, in the order of the pool.
        (
          ["odd", "Bad", "Good", "Good"], ["Good", "Fair", "Bad"], 2, ["Bad", "Good"], ["odd", "Bad"]
        ),
        // Letters' case does not count; null is in no pool.
        (["good", nil, "good"], ["GOOD"], 2, ["good", "good"], ["good", "good"]),
        // One over: 3 of 2 classes are 1 each and 1 pending.
        (["Bad", "odd", "Good"], ["Good", "Bad"], 3, ["Good", "Bad"], ["Good", "Bad", "odd"]),
        // Smaller than n: all there is.
        (["Bad"], ["Good", "Bad"], 8, ["Bad"], ["Bad"]),
        // Of no listed class: nothing, or what there is.
        (["odd", "odder"], ["Good"], 1, nil, ["odd"]),
      ] as [([JSON], JSON, JSON, JSON?, JSON)])
    func `quotas pass on what a class lacks, and the pool fills up in its order`(
      feedbacks: [JSON], classes: JSON, perPrompt: JSON, listed: JSON?, any: JSON
    ) throws {
      let row = sampledRow("a", [("feedbacks", feedbacks)])
      let options: JSON = ["by": "feedbacks", "classes": classes, "per_prompt": perPrompt]
      #expect(try pool(row, options).rows?["feedbacks"] == listed)
      #expect(try pool(row, with(options, [("fill", "any")])).rows?["feedbacks"] == any)
    }

    /// int(score) == class, in the order of the list, which in the original's file is 0, 1, 2, 3.
    @Test(
      arguments: [
        // 7 is no class, and by default never picked.
        ([2.5, 3, 7.0, 0, 1], [3, 2, 1, 0], "listed", [3, 2.5, 1, 0]),
        ([2.5, 3, 7.0, 0, 1], [0, 1, 2, 3], "any", [0, 1, 2.5, 3]),
        ([7.0, 0, 2.9, 1], [0, 1, 2, 3], "any", [0, 1, 2.9, 7.0]),
        ([7.0, 0, 2.9, 1], [0, 1, 2, 3], "listed", [0, 1, 2.9]),
        // Towards zero, as Python's int.
        ([-0.5, 1], [0], "listed", [-0.5]),
      ] as [([JSON], JSON, JSON, JSON)])
    func `a score is of the class of its integer part`(
      scores: [JSON], classes: JSON, fill: JSON, picked: JSON
    ) throws {
      let options: JSON = ["by": "scores", "classes": classes, "per_prompt": 4, "fill": fill]
      #expect(try pool(sampledRow("a", [("scores", scores)]), options).rows?["scores"] == picked)
    }

    /// In a quota the same two walks; what the pool fills up with is taken whatever its length.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func `a quota prefers short samples, and the pool fills up with any`(seed: UInt64) throws {
      let row = sampledRow(
        "a", [("scores", [1, 1, 1, 0, 1]), ("lengths", [64, 7, 9, 64, 64])])
      let options: JSON = ["by": "scores", "classes": [0, 1], "per_prompt": 5, "max_tokens": 64]
      let found = places(try pool(row, options, seed: seed).rows)
      // 2 each and 1 pending; class 0 has one, too long but taken: 2 pending, of the pool in its order.
      try #require(found.count == 5)
      #expect(found.first == 3 && found[1...2].sorted() == [1, 2] && Array(found[3...]) == [0, 4])
    }

    /// `Fixtures/pools/make_pools.py`, an independent program.
    @Test func `what classes lack is taken from the pool in its order`() throws {
      func list(_ value: JSON?) throws -> [JSON] { try #require(value?.arrayValue) }
      for found in try list(poolCases()["pending"]) {
        let row = sampledRow("a", [("feedbacks", try list(found["values"]))])
        var picked = places(
          try pool(
            row,
            [
              "by": "feedbacks", "classes": try #require(found["classes"]),
              "per_prompt": try #require(found["wanted"]), "fill": try #require(found["fill"]),
            ]
          ).rows)
        for taken in try list(found["taken"]) {
          let own = try list(taken).compactMap(\.intValue)
          #expect(picked.prefix(own.count).sorted() == own, "\(found.text())")
          picked.removeFirst(min(own.count, picked.count))
        }
        #expect(picked == (try list(found["filler"])).compactMap(\.intValue), "\(found.text())")
      }
    }

    // MARK: flush

    /// int(n * (1 - f)) of each quantile, by quantile. Deviation: in Python 10 * (1 - 0.9) is a little less than 1, and the
    /// original keeps none.
    @Test(
      arguments: [
        (10, 0.0, 10), (10, 1.0, nil), (10, 0.75, 2), (7, 0.5, 3), (10, 0.9, 1), (1, 0.9, nil), (3, 0.25, 2),
        (9, 0.8, 1),
      ] as [(Int, Double, Int?)])
    func `of each quantile a share is forgotten`(each: Int, drop: Double, kept: Int?) throws {
      let row = sampledRow("a", [("quantiles", (0..<2 * each).map { .int(Int64($0 % 2)) })])
      let state = try pool(row, ["drop": .double(drop)]).state
      if drop == 0 {
        // A no-op: nothing is grouped.
        #expect(places(state) == Array(0..<20))
        return
      }
      #expect(
        state?["quantiles"]
          == kept.map { .array([JSON](repeating: 0, count: $0) + [JSON](repeating: 1, count: $0)) })
    }

    /// Hazard 17: the original forgets to choose `scores` too, which then are those of other samples.
    @Test(arguments: 0..<6 as Range<UInt64>)
    func `what is kept of the whole list keeps its own scores`(seed: UInt64) throws {
      let row = sampledRow(
        "a",
        [
          ("scores", (0..<9).map { .double(Double($0) / 3) }),
          ("feedbacks", (0..<9).map { .string("said \($0)") }),
        ])
      let state = try #require(
        try pool(row, ["by": "scores", "classes": [0, 1, 2], "drop": 0.5], seed: seed).state)
      let kept = places(state)
      // int(9 * 0.5), of all classes together.
      #expect(kept.count == 4)
      #expect(state["scores"] == .array(kept.map { .double(Double($0) / 3) }))
      #expect(state["feedbacks"] == .array(kept.map { .string("said \($0)") }))
    }

    /// Load, flush, add, re-quantile: the pool is flushed when it is handed on, and gets its quantiles anew with the new samples.
    @Test func `kept samples come first, and are sorted into quantiles with the new ones`() throws {
      let old = sampledRow("a", [("rewards", [5, 1]), ("quantiles", [0, 1])])
      let state = try #require(try pool(old, ["drop": 0.0]).state)
      let new = sampledRow("a", [("rewards", [9, 3])])
      let found = try bench.run(QuantizeStage(), ["classes": 2], rows: [new], history: [state])["rows"]?.first
      #expect(found?["rewards"] == [5, 1, 9, 3] && found?["quantiles"] == [0, 1, 0, 1])
    }
  }
}
