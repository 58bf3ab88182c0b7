// Scorers that need no model: length, repetition, sum; the column that scores go to; templates with columns.

import JSON
import Runner
import Stages
import Testing
import TinyModel

struct TextScorersTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private func score(_ scorer: JSON, _ rows: [Row], column: String = "rewards") throws -> [JSON?] {
    let columns = ColumnTable(samples: usualSampleColumns + ["a", "b"])
    let found = try bench.run(
      ScoreStage(), ["scorer": scorer, "column": .string(column)], rows: rows, columns: columns)
    return (found["rows"] ?? []).map { $0[column] }
  }

  private func texts(_ texts: [JSON]) -> [Row] { [Row(["id": "a", "generations": .array(texts)])] }

  @Test func `a length is in words, characters or tokens, or the distance from the one that is wanted`()
    throws
  {
    let rows = texts(["one  two\nthree ", "", "e\u{301}"])
    #expect(try score(["kind": "length"], rows) == [[3, 0, 1]])
    #expect(try score(["kind": "length", "unit": "characters"], rows) == [[15, 0, 2]])
    #expect(try score(["kind": "length", "target": 2.5], rows) == [[-0.5, -2.5, -1.5]])
    let tokens = [sampledRow("a", [("lengths", [4, nil])])]
    #expect(try score(["kind": "length", "unit": "tokens"], tokens) == [[4, nil]])
    #expect(bench.reporter.lines.withLock { $0.contains("1 generations without a score left out") })
    #expect(
      inputError { _ = try score(["kind": "length", "unit": "tokens"], rows) }.contains("column `lengths`"))
  }

  @Test func `repetition is the share of n-grams that stood before`() throws {
    let rows = texts(["a b a b a b", "a b c", "", "a a a a a"])
    // Of 5 pairs 2 differ; of 4 pairs of one word, 1.
    #expect(try score(["kind": "repetition", "n": 2], rows) == [[0.6, 0, 0, 0.75]])
    let third: JSON = .double(1 - 2.0 / 3)
    #expect(try score(["kind": "repetition"], rows) == [[third, 0, 0, 0.5]])
    let tokens = [sampledRow("a", [("tokens", [[1, 2, 1, 2, 1], nil, []])])]
    #expect(
      try score(["kind": "repetition", "n": 2, "unit": "tokens"], tokens) == [[0.5, nil, 0]])
    let wrong = [sampledRow("a", [("tokens", [[1, "x"]])])]
    #expect(
      inputError { _ = try score(["kind": "repetition", "unit": "tokens"], wrong) }
        == "row `a`: entry 0 of `tokens` is a list; expected a list of ids, or null")
  }

  /// Counts are those of `len([m for m in re.finditer(pattern, text) if m.group()])`.
  @Test func `a regular expression matches or not, or so often`() throws {
    let rows = texts(["Sorry, I cannot. sorry", "", "unsorry", "aaaa b"])
    func score(_ pattern: String, _ output: JSON) throws -> [JSON?] {
      try self.score(["kind": "regex", "pattern": .string(pattern), "output": output], rows)
    }
    #expect(try score("(?i)\\b(sorry|cannot)\\b", "match") == [[1, 0, 0, 0]])
    #expect(try score("(?i)\\b(sorry|cannot)\\b", "count") == [[3, 0, 0, 0]])
    #expect(try score("aa", "count") == [[0, 0, 0, 2]])
    #expect(try score("a*", "count") == [[1, 0, 0, 1]])
    #expect(try score("^.", "count") == [[1, 0, 1, 1]])
    #expect(try score("^$", "match") == [[0, 1, 0, 0]])
    #expect(inputError { _ = try score("(a", "match") }.hasPrefix("`pattern`: character "))
  }

  @Test func `a sum weighs, normalises and clips columns, and lacks what one of them lacks`() throws {
    let rows = [
      sampledRow("x", [("a", [1, 3, 5]), ("b", [10, nil, -10])]),
      sampledRow("y", [("a", [0.1, 0.1, 0.1]), ("b", [1, 2, 3])]),
    ]
    func sum(_ parts: [JSON], _ bounds: [(String, JSON)] = []) throws -> [JSON?] {
      let scorer = JSON.object(JSONObject([("kind", "sum"), ("of", .array(parts))] + bounds))
      return try score(scorer, rows, column: "total")
    }
    #expect(
      try sum([["column": "a"], ["column": "b", "weight": 0.5]]) == [[6, nil, 0], [0.6, 1.1, 1.6]])
    #expect(
      try sum([["column": "b", "low": -4, "high": 4]], [("high", 3)]) == [[3, nil, -4], [1, 2, 3]])
    let far: Double = 2 / (8.0 / 3).squareRoot()
    let normalized: [JSON?] = [[.double(-far), 0, .double(far)], [0, 0, 0]]
    #expect(try sum([["column": "a", "normalize": "prompt"]]) == normalized)
    #expect(
      inputError { _ = try sum([["column": "a", "weight": 1e100], ["column": "c"]]) }.contains("column `c`"))
  }

  @Test func `standard scores are over all generations or by prompt, and null stays null`() throws {
    let rows = [sampledRow("x", [("rewards", [1, nil, 3])]), sampledRow("y", [("rewards", [5])])]
    let all = try bench.run(NormalizeStage(), rows: rows)["rows"] ?? []
    let far: Double = 2 / (8.0 / 3).squareRoot()
    let (first, second): (JSON, JSON) = ([.double(-far), nil, 0], [.double(far)])
    #expect(all[0]["rewards"] == first && all[1]["rewards"] == second)
    let each = try bench.run(NormalizeStage(), ["over": "prompt", "into": "z"], rows: rows)["rows"] ?? []
    #expect(each[0]["z"] == [-1, nil, 1] && each[1]["z"] == [0])
    #expect(each[0]["rewards"] == rows[0]["rewards"])
    #expect(NormalizeStage.declaration(for: ["column": "a", "into": nil]).outputs[0].samples == ["a"])
    #expect(NormalizeStage.declaration(for: ["column": "a", "into": "z"]).outputs[0].samples == ["z"])
  }

  @Test func `scores go to the column that is named, which is one entry a generation`() throws {
    let rows = [sampledRow("x", [("rewards", [1, 2])])]
    let options: JSON = ["scorer": ["kind": "length"], "column": "words"]
    let found = try bench.run(ScoreStage(), options, rows: rows)["rows"] ?? []
    #expect(found[0]["words"] == [2, 2] && found[0]["rewards"] == [1, 2])
    #expect(ScoreStage.declaration(for: options).outputs[0].samples == ["words"])
    #expect(ScoreStage.declaration(for: ["scorer": ["kind": "length"]]).outputs[0].samples == ["rewards"])
  }
}
