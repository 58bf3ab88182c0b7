import JSON
import Runner
import TestFolder
import Testing

@Suite struct RowFileTests {
  @Test func `line ends, byte order mark and blank lines are no obstacle`() throws {
    let folder = TemporaryFolder()
    try folder.write("\u{FEFF}{\"id\":\"a\"}\r\n\r\n  \n{\"id\":\"b\",\"x\":1}", to: "rows")
    let rows = try readRows("\(folder.path)/rows")
    #expect(rows.map(\.id) == ["a", "b"])
    try writeRows(rows, to: "\(folder.path)/again")
    #expect(folder.text("again") == "{\"id\":\"a\"}\n{\"id\":\"b\",\"x\":1}\n")
  }

  @Test(arguments: [
    ("{\"id\":\"a\"}\n{\"id\":\n", "2:7: not JSON"), ("[1]\n", "1:1: expected an object, found a list"),
    ("\n{\"x\":1}\n", "2:1: the row has no `id`"),
    ("{\"id\":1}", "1:1: `id` must be a string, found an integer"),
    ("{\"id\":\"a\",\"p\":1}\n{\"id\":\"a\",\"p\":1}\n", "2:1: the id `a` is already used in line 1"),
    ("{\"id\":\"a\",\"q\":1}\n", "1:1: the row `a` has no column `p`; it has `id`, `q`"),
  ])
  func `a wrong line is named with its place`(text: String, message: String) throws {
    let folder = TemporaryFolder()
    try folder.write(text, to: "rows.jsonl")
    let columns = text.contains("\"p\"") || text.contains("\"q\"") ? ["p"] : []
    let error = try #require(throws: InputError.self) {
      try readRows("\(folder.path)/rows.jsonl", requiring: columns)
    }
    #expect(error.description.hasPrefix("\(folder.path)/rows.jsonl:\(message)"), "\(error)")
  }

  @Test func `a folder or nothing at all is an input error`() throws {
    let folder = TemporaryFolder()
    #expect(throws: InputError.self) { try readRows(folder.path) }
    #expect(throws: InputError.self) { try readRows("\(folder.path)/missing") }
  }

  @Test func `a number that is not finite is refused by its place`() throws {
    let folder = TemporaryFolder()
    for (value, place) in [
      (["a": 1, "b": .double(.nan)], "`b` is nan"), (["a": [0, [.double(.infinity)]]], "`a[1][0]` is inf"),
      (["a": ["b": [["c": .double(-.infinity)]]]], "`a.b[0].c` is -inf"),
    ] as [(JSON, String)] {
      let metrics = #expect(throws: NotFiniteNumber.self) {
        try writeMetrics(value, to: "\(folder.path)/m.json")
      }
      #expect(metrics?.description == "the metrics hold a number that is not finite: \(place)")
      var object = try #require(value.objectValue)
      object["id"] = "r"
      let row = Row(.object(object))
      let rows = #expect(throws: NotFiniteNumber.self) { try writeRows([row], to: "\(folder.path)/r.jsonl") }
      #expect(rows?.description == "row `r` holds a number that is not finite: \(place)")
    }
  }
}
