// Which columns go by samples: how tables pass through stages and into keys.

import JSON
import Runner
import Testing

struct ColumnTableTests {
  private func output(
    _ columns: [String] = [], samples: [String] = [], replacesSamples: Bool = false
  ) -> OutputPort {
    OutputPort(
      "rows", .rows, passesThrough: "rows", columns: columns, samples: samples,
      replacesSamples: replacesSamples, summary: "")
  }

  @Test func `an output has its input's columns and its own`() throws {
    let input = ColumnTable(rows: ["prompt"], samples: ["generations"])
    let table = try ColumnTable.of(
      output(["topic"], samples: ["rewards"]),
      inputs: [("model", "", ColumnTable()), ("rows", "", input)])
    #expect(table == ColumnTable(rows: ["prompt", "topic"], samples: ["rewards"]).with("generations", at: 1))
    #expect(table.samples == ["generations", "rewards"])
  }

  @Test func `new samples leave the columns of the old ones behind`() throws {
    let input = ColumnTable(rows: ["prompt"], samples: ["generations", "rewards"])
    let table = try ColumnTable.of(
      output(samples: ["generations"], replacesSamples: true), inputs: [("rows", "", input)])
    #expect(table == ColumnTable(rows: ["prompt"], samples: ["generations"]))
  }

  @Test func `artifacts that declare a column differently are refused by their names`() {
    let error = #expect(throws: InputError.self) {
      try ColumnTable.of(
        output(),
        inputs: [
          ("rows", "heat=1", ColumnTable(samples: ["vader"])),
          ("rows", "heat=2", ColumnTable(rows: ["vader"], samples: [])),
        ])
    }
    #expect(
      error?.description.contains(
        "`vader` holds one entry per sample in `rows` of heat=1 and one per row in `rows` of heat=2") == true)
  }

  @Test func `a table is read back as it was written, and enters keys where it says more than plain rows`() {
    let table = ColumnTable(rows: ["prompt"], samples: ["generations"])
    #expect(ColumnTable(json: table.json) == table)
    #expect(table.keyPart == ["generations": ["per": "sample"]])
    #expect(ColumnTable(rows: ["prompt"], samples: []).keyPart == nil)
    #expect(ColumnTable(json: ["x": ["per": "page"]]) == nil)
  }

  @Test func `a column of token ids keeps its tokenizer, until ids of two tokenizers meet`() throws {
    func table(_ tokenizer: String?) -> ColumnTable {
      var table = ColumnTable(samples: ["generations", "tokens"])
      table.setTokenizer(tokenizer, of: "tokens")
      return table
    }
    let known = table("a")
    #expect(ColumnTable(json: known.json) == known && known != table(nil))
    #expect(
      known.keyPart == ["generations": ["per": "sample"], "tokens": ["per": "sample", "tokenizer": "a"]])
    #expect(ColumnTable(json: ["x": ["per": "sample", "tokenizer": 3]]) == nil)
    let through = OutputPort("rows", .rows, passesThrough: "rows", samples: ["rewards"], summary: "")
    func output(_ port: OutputPort, _ tables: ColumnTable...) throws -> String? {
      try ColumnTable.of(port, inputs: tables.enumerated().map { ("rows", "\($0)", $1) }).tokenizer(
        of: "tokens")
    }
    #expect(try output(through, known) == "a" && output(through, known, known) == "a")
    #expect(try output(through, ColumnTable(samples: ["generations"]), known) == "a")
    #expect(try output(through, known, table("b")) == nil && output(through, known, table(nil), known) == nil)
    // One that is written anew is of none that was known.
    let anew = OutputPort("rows", .rows, passesThrough: "rows", samples: ["tokens"], summary: "")
    #expect(try output(anew, known) == nil)
  }
}

extension ColumnTable {
  /// The same with a sample column moved to another place.
  fileprivate func with(_ name: String, at place: Int) -> ColumnTable {
    var all = columns
    all.removeAll { $0.name == name }
    var table = ColumnTable()
    for column in all[..<place] { table[column.name] = column.per }
    table[name] = .sample
    for column in all[place...] { table[column.name] = column.per }
    return table
  }
}
