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

  private func ahead(_ path: String, requiring columns: [String]) throws -> [Row] {
    var rows = try RowsAhead(path, requiring: columns, reading: ["x"])
    var found: [Row] = []
    while let row = try rows.next() { found.append(row) }
    return found
  }

  @Test(arguments: [
    "", "{\"id\":\"a\"}\n{\"id\":\n", "[1]\n", "\n{\"x\":1}\n", "{\"id\":1}",
    "{\"id\":\"a\",\"p\":1}\n{\"id\":\"a\",\"p\":1}\n", "{\"id\":\"a\",\"q\":1}\n",
    "\u{FEFF}{\"id\":\"a\",\"p\":[1]}\r\n\r\n  \n{\"id\":\"b\",\"p\":{},\"x\":1}",
  ])
  func `rows that are read ahead are those of the file, and so are its errors`(text: String) throws {
    let folder = TemporaryFolder()
    try folder.write(text, to: "rows")
    let path = "\(folder.path)/rows"
    let whole = Result { try readRows(path, requiring: ["p"], reading: ["x"]) }
    let pieces = Result { try ahead(path, requiring: ["p"]) }
    switch (whole, pieces) {
    case (.success(let whole), .success(let pieces)): #expect(whole == pieces)
    case (.failure(let a), .failure(let b)): #expect("\(a)" == "\(b)")
    default: Issue.record("\(whole), \(pieces)")
    }
    #expect(throws: InputError.self) { try ahead(folder.path, requiring: []) }
    #expect(throws: InputError.self) { try ahead("\(path).missing", requiring: []) }
  }

  /// Lines that end inside a piece, at its end, and behind several.
  @Test func `lines longer than what is read at once stay whole`() throws {
    let folder = TemporaryFolder()
    let lengths = [10, 3 << 20, (2 << 20) - 30, 5, 9 << 20] + (0..<300).map { 9_000 + $0 }
    let lines = lengths.enumerated().map { index, length in
      "{\"id\":\"\(index)\",\"p\":\"\(String(repeating: "é", count: length / 2))\",\"x\":\(index)}"
    }
    for end in ["", "\n", "\n{\"id\":\"7\",\"p\":1}"] {
      try folder.write(lines.joined(separator: "\n") + end, to: "rows")
      let whole = Result { try readRows("\(folder.path)/rows", requiring: ["p"], reading: ["x"]) }
      let pieces = Result { try ahead("\(folder.path)/rows", requiring: ["p"]) }
      switch (whole, pieces) {
      case (.success(let whole), .success(let pieces)):
        #expect(whole == pieces && whole.count == lengths.count)
      case (.failure(let a), .failure(let b)): #expect("\(a)" == "\(b)" && end.count > 1)
      default: Issue.record("one failed")
      }
    }
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

  @Test func `columns that are not read are written as reading them would write them`() throws {
    let folder = TemporaryFolder()
    let lines = [
      #"{"id":"a","generations":["x","\u00e9"],"tokens":[[1,2],[3]],"n":1e2}"#,
      #"{ "tokens" : [[1],[ 2 ]], "generations": ["\/","y"], "id": "b", "o": {"k": [1.50]} }"#,
      #"{"id":"c","generations":[],"tokens":[],"n":-0,"rewards":[0.1,null]}"#,
    ]
    try folder.write(lines.map { $0 + "\n" }.joined(), to: "rows")
    let path = "\(folder.path)/rows"
    let whole = try readRows(path)
    for read in [[], ["tokens"], ["generations", "n"]] {
      let kept = try readRows(path, requiring: ["generations"], reading: read)
      #expect(kept == whole && kept.map(\.id) == ["a", "b", "c"] && kept.map(\.names) == whole.map(\.names))
      for (a, b) in zip(kept, whole) { for name in b.names { #expect(a[name] == b[name], "\(name)") } }
      try writeRows(kept, to: "\(folder.path)/kept")
      try writeRows(whole, to: "\(folder.path)/whole")
      #expect(folder.text("kept") == folder.text("whole"))
    }
  }

  @Test func `a column that is not read can be set, removed, counted, chosen from and joined`() throws {
    let folder = TemporaryFolder()
    try folder.write(#"{"id":"a","tokens":[[1,2],[3],[4]],"n":1}"#, to: "rows")
    var row = try #require(try readRows("\(folder.path)/rows", requiring: [], reading: []).first)
    let list = try #require(row.list("tokens"))
    #expect(list.count == 3 && row.list("n") == nil && row.list("missing") == nil)
    row.set(list.selecting([2, 0]) + RowList([5]) + list.selecting([1]), as: "tokens")
    #expect(row.columns.text() == #"{"id":"a","tokens":[[4],[1,2],5,[3]],"n":1}"#)
    row.set(list + list.selecting([]), as: "more")
    row["n"] = 2
    #expect(row.columns.text() == #"{"id":"a","tokens":[[4],[1,2],5,[3]],"n":2,"more":[[1,2],[3],[4]]}"#)
    row["more"] = nil
    row["tokens"] = nil
    #expect(row == Row(["id": "a", "n": 2]) && row.names == ["id", "n"])
  }

  @Test(arguments: [
    (#"{"id":"a","x":[1,]}"#, "1:18: not JSON: expected a value, found `]`"),
    ("[1]", "1:1: expected an object"),
    (#"{"id":"a","x":01}"#, "1:15: not JSON: a number may not start with 0"),
  ])
  func `a wrong column is refused though it is not read`(text: String, message: String) throws {
    let folder = TemporaryFolder()
    try folder.write(text, to: "rows.jsonl")
    let error = try #require(throws: InputError.self) {
      try readRows("\(folder.path)/rows.jsonl", requiring: [], reading: [])
    }
    #expect(error.description.hasPrefix("\(folder.path)/rows.jsonl:\(message)"), "\(error)")
  }
}
