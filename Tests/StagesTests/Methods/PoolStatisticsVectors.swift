// METHODS 1.7, statistics of quantiles and of picks, against an independent program: `Fixtures/pools/make_pools.py`.

import JSON
import Runner
import Stages
import Testing

extension Methods {
  @Suite struct PoolStatisticsVectors {
    let bench: StageBench
    let cases: JSON

    init() throws {
      bench = try StageBench()
      cases = try poolCases()
    }

    private func list(_ value: JSON?) throws -> [JSON] { try #require(value?.arrayValue) }

    /// Within rounding: numpy adds in another order.
    private func expectClose(_ found: JSON?, _ expected: JSON, _ place: String) {
      if let numbers = expected.arrayValue {
        #expect(found?.arrayValue?.count == numbers.count, "\(place)")
        for (index, number) in numbers.enumerated() {
          expectClose(found?.arrayValue?[index], number, "\(place)[\(index)]")
        }
      } else if let number = expected.doubleValue {
        let close = found?.doubleValue.map { abs($0 - number) <= 1e-12 * max(1, abs(number)) }
        #expect(close == true, "\(place): \(found?.text() ?? "nothing"), expected \(number)")
      } else {
        #expect(found == expected, "\(place)")
      }
    }

    @Test func `statistics are those of numpy, of quantize and of pool that takes all`() throws {
      for found in try list(cases["statistics"]) {
        let rows = try list(found["prompts"]).enumerated().map { index, prompt in
          let lists = try ["rewards", "lengths", "quantiles"].map { ($0, try list(prompt[$0])) }
          return sampledRow("p\(index)", lists)
        }
        let statistics: JSON = ["bins": try #require(found["bins"])]
        let classes = try #require(found["classes"])
        _ = try bench.run(
          QuantizeStage(), ["classes": classes, "remainder": "worst", "statistics": statistics], rows: rows)
        let expected = try #require(found["expected"]?.objectValue)
        var measured = try bench.metrics("statistics")
        #expect(measured.objectValue?.keys == expected.keys)
        for (name, value) in expected.members { expectClose(measured[name], value, name) }
        _ = try bench.run(PoolStage(), ["statistics": statistics], rows: rows)
        measured = try bench.metrics("statistics")
        #expect(measured["pool_samples"] == expected["samples"])
        // Where no prompt has many samples, the best classes may be empty, and are not known.
        for (name, value) in expected.members where name != "class_samples" && measured[name] != nil {
          expectClose(measured[name], value, name)
        }
      }
    }

    @Test func `statistics of picked samples count those of classes that are listed`() throws {
      let rows = [
        sampledRow("a", [("feedbacks", ["Good", "bad", nil, "odd"]), ("rewards", [1, nil, 3, 9])]),
        sampledRow("b", [("feedbacks", ["bad"]), ("rewards", [2])]),
        sampledRow("c", [("feedbacks", [nil]), ("rewards", [5])]),
      ]
      _ = try bench.run(
        PoolStage(),
        ["by": "feedbacks", "classes": ["Good", "Bad", "Fair"], "per_class": 1, "statistics": ["bins": 2]],
        rows: rows)
      #expect(
        try bench.metrics("statistics").text()
          == #"{"prompts":2,"samples":3,"fewest_samples":1,"most_samples":2,"class_samples":[1,2,0],"reward_edges":[1.0,1.5,2.0],"#
          + #""reward_mean_0":1.0,"reward_std_0":0.0,"reward_histogram_0":[0.5,0.0],"reward_mean_1":2.0,"reward_std_1":0.0,"#
          + #""reward_histogram_1":[0.0,0.5],"reward_mean_2":null,"reward_std_2":null,"reward_histogram_2":[0.0,0.0],"#
          + #""pool_prompts":2,"pool_samples":3,"pool_fewest_samples":1,"pool_most_samples":2}"#)
    }

    @Test func `without samples the numbers are null, and the output is there only where it is asked for`()
      throws
    {
      _ = try bench.run(QuantizeStage(), ["statistics": ["bins": 2]], rows: [])
      let found = try bench.metrics("statistics")
      #expect(
        found.text()
          == #"{"prompts":0,"samples":0,"fewest_samples":null,"most_samples":null,"class_samples":[0,0,0,0,0]}"#
      )
      for stage in [QuantizeStage.declaration(for: ["classes": 2]), PoolStage.declaration(for: [:])] {
        #expect(!stage.outputs.contains { $0.name == "statistics" })
      }
      #expect(
        QuantizeStage.declaration(for: ["statistics": ["bins": 2]]).outputs.map(\.name) == [
          "rows", "statistics",
        ])
    }
  }
}
