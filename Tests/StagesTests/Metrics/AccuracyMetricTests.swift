// `accuracy`: rewards against preferences, beside always taking the longer text.

import JSON
import Runner
import Stages
import Testing

@Suite struct AccuracyMetricTests {
  let bench = ModelBench()

  private func evaluate(_ rows: [Row]) throws -> JSON {
    try bench.json(bench.run(EvaluateStage(), ["metrics": ["accuracy"]], rows: rows) + "/metrics.json")
  }

  private func row(_ id: String, _ texts: [JSON], _ rewards: JSON, preferences: JSON? = nil) -> Row {
    var row = Row([
      "id": .string(id), "prompt": "p", "generations": .array(texts), "rewards": rewards,
    ])
    row["preferences"] = preferences
    return row
  }

  @Test func `the first generation is preferred, a tie is not right and the longer one has more characters`()
    throws
  {
    let found = try evaluate([
      row("right", ["one two three", "one"], [2, 1]), row("wrong", ["one", "one two"], [-1, 0]),
      row("tie", ["é é", "ééé\u{301}"], [1, 1]), row("alone", ["one"], [1]),
      row("three", ["a b", "c", "d e f"], [1, 0, 2]),
    ])
    #expect(found["accuracy_pairs"] == 5)
    #expect(found["accuracy"]?.doubleValue == 2.0 / 5)
    #expect(found["accuracy_longer"]?.doubleValue == 2.0 / 5)
    #expect(
      found.objectValue?.keys == [
        "generations", "accuracy", "accuracy_se", "accuracy_low", "accuracy_high", "accuracy_longer",
        "accuracy_longer_se", "accuracy_longer_low", "accuracy_longer_high", "accuracy_pairs",
      ])
    #expect(bench.log.contains("accuracy of 5 pairs, the first generation of a row being preferred"))
  }

  @Test func `the column decides where the rows have it`() throws {
    let found = try evaluate([
      row("a", ["one", "one two"], [0, 1], preferences: [0, 1]),
      row("b", ["one", "one two", "three"], [3, 1, 2], preferences: [1, 0.5, nil]),
      row("c", ["one", "two"], [3, 1], preferences: [1, 1]),
    ])
    #expect(found["accuracy_pairs"] == 2)
    #expect(found["accuracy"] == 1)
    #expect(found["accuracy_longer"] == 0.5)
    #expect(bench.log.contains("accuracy of 2 pairs, by the column `preferences`"))
  }

  @Test func `equal texts and generations without reward are left out, and counted`() throws {
    let found = try evaluate([
      row("a", ["one", "one"], [0, 1]), row("b", ["one", "two"], [nil, 1]),
      row("c", ["one", "two"], [1, 0]),
    ])
    #expect(found["accuracy_pairs"] == 1)
    #expect(found["accuracy"] == 1)
    #expect(bench.log.contains("1 pairs of equal texts left out"))
    #expect(bench.log.contains("1 pairs without rewards left out"))
  }

  @Test func `rows without a pair, and columns of some rows alone, are refused`() throws {
    #expect(
      inputError { _ = try evaluate([row("a", ["one"], [1])]) }.hasSuffix(
        "no row has two generations with rewards of which one is preferred"))
    #expect(
      inputError {
        _ = try evaluate([
          row("a", ["one", "two"], [1, 0], preferences: [1, 0]), row("b", ["one", "two"], [1, 0]),
        ])
      } == "row `b`: some rows have a column `preferences`, and others have none")
    #expect(
      inputError { _ = try evaluate([row("a", ["one", "two"], [1, 0], preferences: ["yes", "no"])]) }
        == "row `a`: entry 0 of `preferences` is a string; expected a finite number or null")
  }
}
