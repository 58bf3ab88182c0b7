// Which of the rows `data` takes, and in which order: repetitions, parts, random order, from where to where.

import JSON
import Runner
import Stages
import Testing

struct RowChoiceTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private func lines(_ range: Range<Int>, _ id: (Int) -> String = { "row\($0)" }) -> [String] {
    range.map { #"{"id":"\#(id($0))","prompt":"p\#($0 % 3)","n":\#($0)}"# }
  }
  private func numbers(_ lines: [String], _ options: JSON) throws -> [Int] {
    var options = options
    if case .object(var members) = options {
      members["keep"] = ["n"]
      if members["id"] == nil { members["id"] = "id" }
      options = .object(members)
    }
    return try bench.dataRows(lines.joined(separator: "\n"), options).compactMap { $0["n"]?.intValue }
  }

  @Test func `of equal rows the first stays, and the others are counted`() throws {
    #expect(try numbers(lines(0..<10), ["dedup": "prompt"]) == [0, 1, 2])
    #expect(bench.leftOut == ["repeated_rows: 7"])
    #expect(try numbers(lines(0..<5), ["dedup": ["prompt", "n"]]) == Array(0..<5))
    // Rows that a condition leaves out, or that are bad, hide no others.
    #expect(
      try numbers(lines(0..<10), ["dedup": "prompt", "where": [["field": "n", "at_least": 4]]]) == [4, 5, 6])
    let bad = [#"{"id":"x","prompt":"p0"}"#] + lines(0..<3)
    #expect(try numbers(bad, ["dedup": "prompt", "on_bad_row": "skip"]) == [0, 1, 2])
    // Ids that come twice are no error where their rows are repetitions.
    #expect(try numbers(lines(0..<3) + lines(0..<3), ["dedup": "id"]) == [0, 1, 2])
    // Values, not their texts.
    let kinds = [#"{"id":"a","prompt":"1","n":1}"#, #"{"id":"b","prompt":"1","n":"1"}"#]
    #expect(try bench.dataRows(kinds.joined(separator: "\n"), ["dedup": "n"]).count == 2)
  }

  private func part(_ take: String, _ extra: [(String, JSON)] = []) -> JSON {
    let shares: JSON = ["valid": 0.25, "train": 0.5, "test": 0.25]
    let options = [("shares", shares), ("take", .string(take)), ("seed", 5), ("by", nil)] + extra
    return ["partition": .object(JSONObject(options))]
  }

  /// Computed by the formula in `Partition.swift` in Python.
  @Test func `a row's part is that of a published formula`() throws {
    let rows = lines(0..<40) { "é\($0)" }
    #expect(try numbers(rows, part("test")) == [0, 10, 11, 14, 15, 18, 25, 33])
    #expect(bench.leftOut == ["rows_of_other_parts: 32"])
    #expect(try numbers(rows, part("valid")) == [3, 12, 22, 23, 29, 31, 36, 38])
    #expect(
      try numbers(rows, part("train"))
        == [1, 2, 4, 5, 6, 7, 8, 9, 13, 16, 17, 19, 20, 21, 24, 26, 27, 28, 30, 32, 34, 35, 37, 39])
  }

  @Test func `parts are disjoint, cover all, and stay when rows come, go and move`() throws {
    let all = lines(0..<200)
    let parts = try ["test", "train", "valid"].map { try numbers(all, part($0)) }
    #expect(parts.joined().sorted() == Array(0..<200))
    for (name, rows) in zip(["test", "train", "valid"], parts) {
      #expect(try numbers(all.reversed(), part(name)) == rows.reversed())
      #expect(try numbers(Array(all[50..<90]), part(name)) == rows.filter { (50..<90).contains($0) })
      #expect(try numbers(all, part(name, [("seed", 6)])) != rows)
    }
  }

  @Test func `rows of one text are in one part, and so are rows of one content`() throws {
    let parts = ["test", "train", "valid"]
    let texts = (0..<60).map { #"{"id":"\#($0)","prompt":"p\#($0 % 20)","n":\#($0)}"# }
    let by = try parts.map { Set(try numbers(texts, part($0, [("by", "prompt")])).map { $0 % 20 }) }
    #expect(by.map(\.count).reduce(0, +) == 20)
    let twins = (0..<20).map { #"{"prompt":"p\#($0)","n":\#($0)}"# }
    for name in parts {
      let rows = try bench.dataRows((twins + twins).joined(separator: "\n"), part(name))
      let stems = rows.map { $0.id.prefix(16) }
      #expect(Set(stems).count * 2 == stems.count)
    }
  }

  @Test func `the order of a shuffle belongs to ids and seed alone`() throws {
    let all = lines(0..<50)
    let order = try numbers(all, ["shuffle": true])
    #expect(order.sorted() == Array(0..<50) && order != Array(0..<50))
    #expect(try numbers(all.reversed(), ["shuffle": true]) == order)
    #expect(try numbers(all, ["shuffle": ["seed": 0]]) == order)
    #expect(try numbers(all, ["shuffle": ["seed": 1]]) != order)
    #expect(try numbers(Array(all[10..<30]), ["shuffle": true]) == order.filter { (10..<30).contains($0) })
    #expect(try numbers(all, ["shuffle": true, "skip": 3, "limit": 5]) == Array(order[3..<8]))
    #expect(try numbers(all, ["shuffle": true, "skip": 48]) == Array(order[48...]))
    #expect(bench.leftOut == ["rows_at_the_start: 48"])
    #expect(
      bench.dataFailure(all.joined(separator: "\n"), ["shuffle": true, "skip": 50])
        == "data.jsonl: all 50 rows were skipped; write a smaller `skip`")
  }

  @Test func `rows are skipped and limited after all else`() throws {
    let options: JSON = [
      "where": [["field": "n", "at_least": 2]], "dedup": "prompt", "skip": 1, "limit": 1,
    ]
    #expect(try numbers(lines(0..<20), options) == [3])
    #expect(bench.leftOut == ["rows_at_the_start: 1", "rows_by_where: 2"])
    #expect(try numbers(lines(0..<4), ["skip": 2]) == [2, 3])
    #expect(
      bench.dataFailure(lines(0..<4).joined(separator: "\n"), ["skip": 4])
        == "data.jsonl: none of 4 lines was taken: 0 were bad, 0 did not satisfy `where`, 4 were skipped")
  }

  @Test func `a place of a repeated id is found behind every other choice`() throws {
    let all = lines(0..<6) + [#"{"id":"row1","prompt":"q","n":9}"#]
    for options: JSON in [
      ["id": "id", "shuffle": true], ["id": "id", "skip": 3],
      ["id": "id", "partition": part("train")["partition"] ?? nil],
    ] {
      #expect(
        bench.dataFailure(all.joined(separator: "\n"), options)
          == "data.jsonl:7:1: the id `row1` was given before, on line 2")
    }
  }
}
