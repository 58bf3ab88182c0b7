// Metrics that read a column: rouge, toxicity, finish, classes, mean, difference; their mistakes.

import JSON
import Runner
import Stages
import Testing

struct ColumnMetricsTests {
  let bench = ModelBench()

  private func evaluate(_ metrics: [JSON], _ rows: [Row], baseline: [Row]? = nil) throws -> JSON {
    let columns = ColumnTable(samples: usualSampleColumns + ["toxicity"])
    return try bench.json(
      bench.run(
        EvaluateStage(), ["metrics": .array(metrics)], rows: rows,
        others: baseline.map { ["baseline": $0] } ?? [:], columns: columns) + "/metrics.json")
  }

  @Test func `each generation is compared with the reference of its row`() throws {
    var rows = [
      Row(["id": "a", "prompt": "p", "generations": ["the cat", "a dog sits"], "reference": "the cats"]),
      Row(["id": "b", "prompt": "p", "generations": ["x"], "reference": nil]),
      Row(["id": "c", "prompt": "p", "generations": ["y"], "reference": ["z", "y"]]),
    ]
    let found = try evaluate(["rouge"], rows)
    #expect(found["rouge_1"] == 0.5 && found["rouge_2"] == 0)
    #expect(found["rouge_l_se"]?.doubleValue != nil)
    #expect(bench.log.contains("1 generations without reference left out"))
    let stemmed = try evaluate([["kind": "rouge", "stem": true]], rows)
    #expect(stemmed["rouge_1"]?.doubleValue == 2.0 / 3)
    rows[0]["reference"] = ["x", 1]
    #expect(
      inputError { _ = try evaluate(["rouge"], rows) }
        == "row `a`: `reference` is a list; expected text, a list of texts, or null")
  }

  @Test func `toxicity is the highest of a prompt, over prompts with a score`() throws {
    let rows = [
      sampledRow("a", [("toxicity", [0.25, 0.5])]), sampledRow("b", [("toxicity", [nil, 0.75])]),
      sampledRow("c", [("toxicity", [nil, nil])]), sampledRow("d", [("toxicity", [])]),
    ]
    let found = try evaluate(["toxicity"], rows)
    #expect(found["toxicity_maximum"] == 0.625 && found["toxicity"] == 0.5)
    // More than the bound: 0.5 is not.
    #expect(found["toxicity_probability"] == 0.5)
    let one = try evaluate([["kind": "toxicity", "above": 0.1]], rows)
    #expect(one["toxicity_probability"] == 1 && one["toxicity_probability_high"] == 1)
    #expect(bench.log.contains("3 generations without toxicity left out"))
    #expect(
      inputError { _ = try evaluate(["toxicity"], [rows[2]]) }.contains(
        "no generation has a number in `toxicity`"))
  }

  @Test func `shares are those of all generations with a value, the rest are others`() throws {
    let rows = [
      sampledRow("a", [("finish", ["end", "length"]), ("feedbacks", ["very good", 3])]),
      sampledRow("b", [("finish", ["end", "shutdown"]), ("feedbacks", [nil, "bad"])]),
    ]
    let found = try evaluate(
      ["finish", ["kind": "classes", "column": "feedbacks", "values": ["very good", 3]]], rows)
    #expect(found["finish_end"] == 0.5 && found["finish_stop"] == 0 && found["finish_length"] == 0.25)
    #expect(found["finish_other"] == 0.25 && found["finish_stop_low"] == 0)
    #expect(found["feedbacks_very_good"]?.doubleValue == 1.0 / 3)
    #expect(found["feedbacks_3"]?.doubleValue == 1.0 / 3)
    #expect(found["feedbacks_other"]?.doubleValue == 1.0 / 3)
    #expect(bench.log.contains("1 generations without feedbacks left out"))
  }

  @Test func `the mean of a column is called as the column is`() throws {
    let rows = [sampledRow("a", [("scores", [1, 20000])]), sampledRow("b", [("scores", [nil, 3])])]
    #expect(try evaluate([["kind": "mean", "column": "scores"]], rows)["scores"] == 6668)
    let bounded = try evaluate([["kind": "mean", "column": "scores", "below": 1e4]], rows)
    #expect(bounded["scores"] == 2 && bounded["scores_discarded"] == 1)
  }

  @Test func `differences are paired by prompt, and what has no pair is counted`() throws {
    let rows = [
      sampledRow("a", [("rewards", [1, 3])]), sampledRow("b", [("rewards", [5])]),
      sampledRow("new", [("rewards", [9])]), sampledRow("none", [("rewards", [nil])]),
    ]
    let baseline = [
      sampledRow("gone", [("rewards", [7])]), sampledRow("b", [("rewards", [1, 2, nil])]),
      sampledRow("a", [("rewards", [1])]), sampledRow("none", [("rewards", [nil])]),
    ]
    let found = try evaluate(["difference"], rows, baseline: baseline)
    // a: 2 - 1; b: 5 - 1.5.
    #expect(found["rewards_difference"] == 2.25 && found["rewards_pairs"] == 2)
    #expect(found["rewards_difference_se"] == 1.25)
    #expect(found["rewards_difference_low"] == 1 && found["rewards_difference_high"] == 3.5)
    #expect(found["rewards_unmatched"] == 3)
    let none = inputError { _ = try evaluate(["difference"], rows, baseline: [baseline[0]]) }
    #expect(
      none.contains("no prompt has numbers in `rewards` both here and in the rows at `baseline`"), "\(none)")
    let large = [sampledRow("a", [("rewards", [1e308])])]
    let small = [sampledRow("a", [("rewards", [-1e308])])]
    #expect(inputError { _ = try evaluate(["difference"], large, baseline: small) }.contains("overflows"))
  }

  @Test func `prompts that were trained on are counted by their text, each once`() throws {
    func rows(_ prompts: [String]) -> [Row] {
      prompts.enumerated().map { index, prompt in
        Row(["id": .string("\(index)"), "prompt": .string(prompt), "generations": ["a"]])
      }
    }
    let output = try bench.run(
      EvaluateStage(), ["metrics": ["overlap"]], rows: rows(["Tell me", "tell  me\n", "É b", "other"]),
      others: ["training": rows(["TELL ME", "é b ", "third"])])
    let found = try bench.json(output + "/metrics.json")
    #expect(found["prompts"] == 3 && found["prompts_trained_on"] == 2)
  }
}
