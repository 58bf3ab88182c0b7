// `quantize`: class sizes, ties, nulls, scope and history.

import JSON
import Runner
import Stages
import Testing

struct QuantizeStageTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private func quantiles(_ rows: [Row], _ options: JSON = .object(JSONObject()), history: [Row]? = nil) throws
    -> [[Int?]]
  {
    try #require(try bench.run(QuantizeStage(), options, rows: rows, history: history)["rows"])
      .map { row in row["quantiles"]?.arrayValue?.map(\.intValue) ?? [] }
  }

  @Test func `the highest reward is in class 0`() throws {
    let row = sampledRow("a", [("rewards", [0.1, 0.9, 0.5, -2, 7])])
    #expect(try quantiles([row]) == [[3, 1, 2, 4, 0]])
    #expect(try quantiles([row], ["classes": 2]) == [[1, 0, 0, 1, 0]])
    #expect(try quantiles([row], ["classes": 2, "remainder": "worst"]) == [[1, 0, 1, 1, 0]])
    #expect(try quantiles([row], ["classes": 1]) == [[0, 0, 0, 0, 0]])
  }

  @Test func `rows without samples, no rows, and one sample`() throws {
    #expect(try quantiles([sampledRow("a", [("rewards", [])])]) == [[]])
    #expect(try quantiles([]) == [])
    #expect(try quantiles([sampledRow("a", [("rewards", [3])])]) == [[0]])
    #expect(try quantiles([sampledRow("a", [("rewards", [3])])], ["remainder": "worst"]) == [[4]])
  }

  @Test func `inside a prompt neither other rows nor their order matter`() throws {
    let rows = (0..<9).map { k in
      sampledRow("r\(k)", [("rewards", (0..<7).map { .int(Int64(($0 * 5 + k) % 7)) })])
    }
    let forward = try quantiles(rows)
    #expect(try quantiles(rows.reversed()) == forward.reversed())
    #expect(try quantiles([rows[4]]) == [forward[4]])
  }

  @Test func `history comes before the new samples and is ranked anew`() throws {
    let history = [
      sampledRow("old", [("rewards", [5]), ("quantiles", [4])]),
      sampledRow("both", [("rewards", [1, 9]), ("quantiles", [1, 0])]),
    ]
    let rows = [sampledRow("new", [("rewards", [1])]), sampledRow("both", [("rewards", [4])])]
    let result = try #require(
      try bench.run(QuantizeStage(), ["classes": 3], rows: rows, history: history)["rows"])
    try #require(result.map(\.id) == ["old", "both", "new"])
    #expect(result[1]["generations"] == ["both 0", "both 1", "both 0"])
    #expect(result.map { $0["quantiles"] } == [[0], [2, 0, 1], [0]])
  }

  @Test func `cells of a matrix are joined prompt by prompt and ranked together`() throws {
    let cold = [sampledRow("a", [("rewards", [1, 4])]), sampledRow("b", [("rewards", [2])])]
    let hot = [sampledRow("b", [("rewards", [3])]), sampledRow("a", [("rewards", [2, 3])])]
    let result = try #require(
      try bench.run(QuantizeStage(), ["classes": 2], cells: ["heat=0.5": cold, "heat=1": hot])["rows"])
    #expect(result.map(\.id) == ["a", "b"])
    #expect(result.map { $0["rewards"] } == [[1, 4, 2, 3], [2, 3]])
    #expect(result.map { $0["quantiles"] } == [[1, 0, 1, 0], [1, 0]])
    let other = sampledRow("a", [("rewards", [1]), ("lengths", [3])])
    #expect(
      inputError { _ = try bench.run(QuantizeStage(), cells: ["heat=0.5": cold, "heat=1": [other]]) }
        .contains("only `rows` of heat=1 has the column `lengths`"))
  }

  @Test func `ranked among all, equal rewards keep the order in which they were added, through histories`()
    throws
  {
    // Added in this order: a0 b0 | b1 a1 | a2 b2; all equal, so that the classes are the order.
    func added(_ rows: [Row], history: [Row]? = nil) throws -> [Row] {
      try #require(
        try bench.run(
          QuantizeStage(), ["classes": 6, "scope": "global"], rows: rows, history: history,
          columns: ColumnTable(samples: usualSampleColumns + (history == nil ? [] : ["added"])))["rows"])
    }
    func one(_ id: String) -> Row { sampledRow(id, [("rewards", [1])]) }
    let first = try added([one("a"), one("b")])
    #expect(first.map { $0["quantiles"] } == [[0], [1]])
    var second = try added([one("b"), one("a")], history: first)
    #expect(second.map { $0["quantiles"] } == [[0, 3], [1, 2]])
    for index in second.indices { second[index]["quantiles"] = nil }
    let third = try added([one("a"), one("b")], history: second)
    #expect(third.map { $0["quantiles"] } == [[0, 3, 4], [1, 2, 5]])
  }

  @Test func `a column of a program's own follows the samples it was declared for`() throws {
    let table = ColumnTable(samples: usualSampleColumns + ["vader"])
    let history = [sampledRow("a", [("rewards", [1]), ("vader", ["h"])])]
    let rows = [sampledRow("a", [("rewards", [2, 3]), ("vader", ["x", "y"])])]
    let result = try #require(
      try bench.run(QuantizeStage(), ["classes": 3], rows: rows, history: history, columns: table)["rows"])
    #expect(result[0]["vader"] == ["h", "x", "y"])
    #expect(!bench.reporter.lines.withLock { $0 }.contains { $0.hasPrefix("warning") })
  }

  @Test func `a list that goes by samples without being declared is warned of`() throws {
    let rows = [sampledRow("a", [("rewards", [2, 3]), ("vader", ["x", "y"])])]
    _ = try bench.run(QuantizeStage(), rows: rows)
    #expect(
      bench.reporter.lines.withLock { $0 }.contains {
        $0.hasPrefix("warning: column `vader` of `rows` has one entry per generation")
      })
  }

  @Test func `history that does not fit is refused`() {
    let new = sampledRow("a", [("rewards", [1]), ("lengths", [3])])
    var other = sampledRow("a", [("rewards", [1])])
    #expect(
      inputError { _ = try quantiles([new], history: [other]) }.contains(
        "only `rows` has the column `lengths`"))
    #expect(
      inputError { _ = try quantiles([other], history: [new]) }.contains(
        "only `history` has the column `lengths`"))
    other["prompt"] = "another"
    #expect(
      inputError { _ = try quantiles([new], history: [other]) }.contains("expected one prompt for each id"))
  }

  @Test func `lists of different lengths and rewards that are no numbers name the row`() {
    var row = sampledRow("a", [("rewards", [1, 2])])
    row["generations"] = ["one"]
    #expect(inputError { _ = try quantiles([row]) }.contains("row `a`: column `rewards` has 2 entries"))
    #expect(
      inputError { _ = try quantiles([sampledRow("b", [("rewards", ["high"])])]) }.contains(
        "row `b`: reward 0 is a string"))
  }
}
