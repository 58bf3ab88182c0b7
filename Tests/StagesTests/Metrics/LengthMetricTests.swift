// `length`: tokens by the column `lengths`, words by blanks.

import JSON
import Runner
import Stages
import Testing

struct LengthMetricTests {
  let bench: ModelBench
  init() { bench = ModelBench() }

  private func evaluate(_ rows: [Row], _ wanted: [JSON] = ["length"]) throws -> JSON {
    try bench.json(
      bench.run(EvaluateStage(), ["metrics": .array(wanted)], rows: rows) + "/metrics.json")
  }

  private func row(_ id: String, _ texts: [JSON], lengths: JSON? = nil) -> Row {
    var row = Row(["id": .string(id), "prompt": "p", "generations": .array(texts)])
    row["lengths"] = lengths
    return row
  }

  @Test func `tokens are those of the column, words stand between blanks`() throws {
    let found = try evaluate([
      row("a", ["one  two\nthree ", ""], lengths: [4, 0]), row("b", [" \u{301}x"], lengths: [5]),
    ])
    #expect(found["length"] == 3)
    #expect(found["length_words"]?.doubleValue == 4.0 / 3)
    #expect(
      found.objectValue?.keys == [
        "generations", "length", "length_se", "length_low", "length_high", "length_words", "length_words_se",
        "length_words_low", "length_words_high",
      ])
  }

  @Test func `without the column there are words alone`() throws {
    let found = try evaluate([row("a", ["one two"]), row("b", ["one"])])
    #expect(found["length"] == .some(.null) && found["length_words"] == 1.5)
  }

  @Test func `generations without a length are left out, and counted`() throws {
    let found = try evaluate([
      row("a", ["one two", "x"], lengths: [4, nil]), row("b", ["one"]), row("c", ["one"], lengths: [6]),
    ])
    #expect(found["length"] == 5)
    #expect(bench.log.contains("2 generations without length left out"))
  }

  @Test func `a length that is none is refused by its row`() {
    for (lengths, text) in [(["4.5"], "\"4.5\""), ([-1], "-1"), ([1.5], "1.5")] as [(JSON, String)] {
      #expect(
        inputError { _ = try evaluate([row("a", ["x"], lengths: lengths)]) }
          == "row `a`: entry 0 of `lengths` is \(text); expected a number of tokens or null")
    }
  }

  @Test func `the artifact holds each metric once, in one order`() throws {
    let rows = [sampledRow("a", [("rewards", [1, 2]), ("lengths", [3, 4])])]
    let found = try evaluate(rows, ["length", "distinct", "reward"])
    #expect(
      found.objectValue?.keys == [
        "generations", "reward", "reward_se", "reward_low", "reward_high", "reward_deviation", "distinct_1",
        "distinct_2", "distinct_3", "length", "length_se", "length_low", "length_high", "length_words",
        "length_words_se", "length_words_low", "length_words_high",
      ])
    #expect(
      EvaluateStage.declaration(for: ["metrics": ["length", "reward", "length"], "interval": nil]).outputs[0]
        .names == [
          "generations", "reward", "reward_se", "reward_deviation", "length", "length_se", "length_words",
          "length_words_se",
        ])
  }
}
