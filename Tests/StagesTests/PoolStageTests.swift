// `pool`: balanced picks, rejection by length, what is kept for the next iteration.

import JSON
import Runner
import Stages
import Testing

struct PoolStageTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private func pool(_ rows: [Row], _ options: JSON, history: [Row]? = nil, seed: UInt64 = 1) throws -> (
    rows: [Row], state: [Row]
  ) {
    let outputs = try bench.run(PoolStage(), options, rows: rows, history: history, seed: seed)
    return (try #require(outputs["rows"]), try #require(outputs["state"]))
  }

  /// `each` samples in each of `classes` classes, interleaved, with lengths 1, 2, 3...
  private func balanced(_ id: String, classes: Int, each: Int) -> Row {
    let count = classes * each
    return sampledRow(
      id,
      [
        ("quantiles", (0..<count).map { .int(Int64($0 % classes)) }),
        ("rewards", (0..<count).map { .double(Double(-($0 % classes)) + 0.5) }),
        ("lengths", (0..<count).map { .int(Int64($0 + 1)) }),
      ])
  }

  @Test func `takes so many of each class, best class first`() throws {
    let result = try pool([balanced("a", classes: 5, each: 4)], ["per_class": 2]).rows
    #expect(result.first?["quantiles"] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
  }

  @Test func `log-probabilities stay with the sample they are of`() throws {
    var row = balanced("a", classes: 3, each: 3)
    let count = row["generations"]?.arrayValue?.count ?? 0
    row["log_probabilities"] = .array((0..<count).map { [.double(Double($0))] })
    let result = try #require(try pool([row], ["per_class": 1]).rows.first)
    let lengths = try #require(result["lengths"]?.arrayValue).compactMap(\.intValue)
    #expect(result["log_probabilities"] == .array(lengths.map { [.double(Double($0 - 1))] }))
  }

  @Test func `all parallel lists stay in step, and the prompt's own columns stay`() throws {
    var row = balanced("a", classes: 3, each: 3)
    row["subreddit"] = "<best>"
    row["label"] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    let result = try #require(try pool([row], ["per_class": 2]).rows.first)
    let texts = try #require(result["generations"]?.arrayValue)
    let lengths = try #require(result["lengths"]?.arrayValue)
    #expect(texts.count == 6)
    for (text, length) in zip(texts, lengths) {
      #expect(text.stringValue == "a \((length.intValue ?? 0) - 1)")
    }
    #expect(result["subreddit"] == "<best>")
    #expect(result["label"]?.arrayValue?.count == 9)
  }

  @Test func `without a number per class everything is taken, class by class`() throws {
    let result = try #require(
      try pool([balanced("a", classes: 2, each: 3)], .object(JSONObject())).rows.first)
    #expect(result["generations"] == ["a 0", "a 2", "a 4", "a 1", "a 3", "a 5"])
  }

  @Test func `samples without a class are dropped, and prompts that have none`() throws {
    let rows = [
      sampledRow("a", [("quantiles", [nil, 0])]), sampledRow("b", [("quantiles", [nil])]),
      sampledRow("c", [("quantiles", [])]),
    ]
    let result = try pool(rows, ["drop": 0.0])
    #expect(result.rows.map(\.id) == ["a"] && result.state.map(\.id) == ["a"])
    #expect(result.rows.first?["generations"] == ["a 1"])
    #expect(try pool([], ["per_class": 2]).rows == [])
  }

  @Test func `rejection by length needs lengths`() {
    let row = sampledRow("a", [("quantiles", [0])])
    #expect(
      inputError { _ = try pool([row], ["per_class": 1, "max_tokens": 64]) }.contains("no column `lengths`"))
  }

  @Test func `picks depend on seed and row, not on other rows or their order`() throws {
    let rows = (0..<8).map { balanced("r\($0)", classes: 3, each: 10) }
    let forward = try pool(rows, ["per_class": 2]).rows
    #expect(try pool(rows, ["per_class": 2]).rows == forward)
    #expect(try pool(rows.reversed(), ["per_class": 2]).rows == forward.reversed())
    #expect(try pool([rows[3]], ["per_class": 2]).rows == [forward[3]])
    #expect(try pool(rows, ["per_class": 2], seed: 2).rows != forward)
    // Rows draw apart: not every row picks the same places.
    #expect(Set(forward.map { $0["lengths"]?.text() ?? "" }).count > 1)
  }

  @Test func `dropping all empties the state, dropping nothing keeps every sample`() throws {
    let rows = [balanced("a", classes: 2, each: 3)]
    #expect(try pool(rows, ["per_class": 1]).state == [])
    #expect(try pool(rows, ["per_class": 1, "drop": 0.0]).state == rows)
  }

  @Test func `history is put before the rows`() throws {
    let history = [sampledRow("a", [("quantiles", [0])]), sampledRow("z", [("quantiles", [1])])]
    let result = try pool([sampledRow("a", [("quantiles", [1, 0])])], ["drop": 0.0], history: history)
    #expect(result.state.map(\.id) == ["a", "z"])
    #expect(result.state.first?["quantiles"] == [0, 1, 0])
  }

  @Test func `cells of a matrix make one pool, after the history`() throws {
    let outputs = try bench.run(
      PoolStage(), ["drop": 0.0], history: [sampledRow("a", [("quantiles", [0])])],
      cells: ["1": [sampledRow("a", [("quantiles", [1])])], "2": [sampledRow("a", [("quantiles", [0, 1])])]])
    #expect(outputs["rows"]?.map { $0["quantiles"] } == [[0, 0, 1, 1]])
    #expect(outputs["state"]?.map { $0["quantiles"] } == [[0, 1, 0, 1]])
  }

  @Test func `options that contradict each other are refused`() {
    let row = sampledRow("a", [("quantiles", [0]), ("feedbacks", ["x"])])
    #expect(
      inputError { _ = try pool([row], ["per_class": 1, "per_prompt": 1]) }.contains("write one of them"))
    #expect(inputError { _ = try pool([row], ["by": "feedbacks"]) }.contains("option `classes`: empty"))
    #expect(inputError { _ = try pool([row], ["by": "scores", "classes": [1]]) }.contains("column `scores`"))
  }

  @Test func `columns that no option names are passed on as they would be written after reading`() throws {
    let line =
      #"{"id":"a","prompt":"p","generations":["x","y\u0041","z"],"quantiles":[1,0,0],"tokens":[[1, 2],[3],[4,5]],"o":{"k":1e1}}"#
    let path = try bench.file("rows.jsonl", line + "\n")
    let rows = try bench.run(
      PoolStage(), ["per_class": 1, "drop": 0.0], files: ["rows": path])
    let picked = try #require(rows["rows"]?.first)
    #expect(picked["quantiles"] == [0, 1] && picked["o"] == ["k": 10.0])
    #expect(
      rows["state"]?.first?.columns.text()
        == #"{"id":"a","prompt":"p","generations":["x","yA","z"],"quantiles":[1,0,0],"tokens":[[1,2],[3],[4,5]],"o":{"k":10.0}}"#
    )
  }
}
