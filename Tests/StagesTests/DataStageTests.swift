// `data`: what becomes a row, what id it gets, and where an error points.

import JSON
import Runner
import Stages
import Testing

struct DataStageTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private func rows(_ text: String, _ options: (String, JSON)...) throws -> [Row] {
    let path = try bench.file("data.jsonl", text)
    let all = [("path", JSON.string(path))] + options
    return try bench.run(DataStage(), .object(JSONObject(all.map { ($0.0, $0.1) })))["rows"] ?? []
  }

  private func failure(_ text: String, _ options: (String, JSON)...) -> String {
    let all = [("path", JSON.string("\(bench.directory)/data.jsonl"))] + options
    return inputError {
      _ = try bench.file("data.jsonl", text)
      try bench.run(DataStage(), .object(JSONObject(all.map { ($0.0, $0.1) })))
    }
    .replacing(bench.directory + "/", with: "")
  }

  @Test func `fills the template from plain and nested fields`() throws {
    let rows = try rows(
      #"{"id":"a","post":{"title":"T","n":3},"ok":true,"dotted.name":"d","prompt":"p"}"#,
      ("prompt", "{{{post.title}}} {post.n} {ok} {dotted.name}\nTL;DR:"), ("id", "id"))
    #expect(rows == [Row(["id": "a", "prompt": "{T} 3 true d\nTL;DR:"])])
  }

  @Test func `rows say where cuttable fields stand in the prompt, in bytes`() throws {
    let line = #"{"post":"é\"x","title":"","n":12}"#
    let row = try #require(
      try rows(
        line, ("prompt", "ü{title}: {post}\n{n}{post}TL;DR:"), ("cuttable", ["post", "title", "n"])
      ).first)
    #expect(
      row["prompt_fields"] == ["post": [[4, 4], [11, 4]], "title": [[2, 0]], "n": [[9, 2]]])
    let bytes = Array((row["prompt"]?.stringValue ?? "").utf8)
    #expect(String(decoding: bytes[11..<15], as: UTF8.self) == "é\"x")
    #expect(try rows(line, ("prompt", "{post}")).first?["prompt_fields"] == nil)
    #expect(
      failure(line, ("prompt", "{post}"), ("cuttable", ["titel"])).contains(
        "option `cuttable` names `titel`, which is not a field of `prompt`"))
    let port = try #require(DataStage.declaration(for: ["cuttable": ["post"], "keep": ["n"]]).outputs.first)
    #expect(port.columns == ["prompt", "prompt_fields", "n"])
  }

  @Test func `fields that go by samples have an entry for each generation`() throws {
    let line = #"{"prompt":"p","generations":["a","b"],"rewards":[1,2],"vader":[3,4],"n":2}"#
    let rows = try rows(line, ("keep", ["n"]), ("samples", ["generations", "rewards", "vader"]))
    #expect(rows.first?["vader"] == [3, 4])
    let options: JSON = ["keep": ["n", "rewards"], "samples": ["generations", "vader"]]
    let port = try #require(DataStage.declaration(for: options).outputs.first)
    #expect(port.columns == ["prompt", "n"] && port.samples == ["generations", "vader", "rewards"])
    for (field, found) in [("vader\":[3,4]", "vader\":[3]"), ("rewards\":[1,2]", "rewards\":1")] {
      let message = failure(
        line.replacing(field, with: found), ("samples", ["generations", "rewards", "vader"]))
      #expect(message.hasPrefix("data.jsonl:1:1: `\(found.prefix { $0 != "\"" })`"), "\(message)")
    }
    #expect(failure(line, ("samples", ["vader"])).contains("the rows have no `generations`"))
  }

  @Test func `keeps the fields it is told to keep, with their types`() throws {
    let rows = try rows(
      #"{"id":7,"prompt":"p","label":1,"score":0.5,"tags":["x",null]}"#, ("id", "id"),
      ("keep", ["score", "label", "tags"]))
    #expect(rows.first?.columns.text() == #"{"id":"7","prompt":"p","score":0.5,"label":1,"tags":["x",null]}"#)
  }

  @Test func `integers beyond 64 bits arrive as written, in prompts, columns and ids`() throws {
    let rows = try rows(
      #"{"n":12345678901234567890}"# + "\n" + #"{"n":12345678901234567891}"# + "\n"
        + #"{"n":-9223372036854775809}"#,
      ("prompt", "{n}"), ("id", "n"), ("keep", ["n"]))
    #expect(
      rows.map { $0.columns.text() } == [
        #"{"id":"12345678901234567890","prompt":"12345678901234567890","n":12345678901234567890}"#,
        #"{"id":"12345678901234567891","prompt":"12345678901234567891","n":12345678901234567891}"#,
        #"{"id":"-9223372036854775809","prompt":"-9223372036854775809","n":-9223372036854775809}"#,
      ])
  }

  @Test func `other numbers enter a prompt in their shortest form`() throws {
    let rows = try rows(#"{"a":1.10,"b":1e2,"c":7}"#, ("prompt", "{a} {b} {c}"))
    #expect(rows.map { $0["prompt"] } == ["1.1 100.0 7"])
  }

  @Test func `reads lines that end in CRLF, a missing last newline and a byte order mark`() throws {
    let rows = try rows("\u{FEFF}{\"prompt\":\"a\"}\r\n{\"prompt\":\"b\"}")
    #expect(rows.map { $0["prompt"] } == ["a", "b"])
  }

  @Test func `selects by equality and stops at the limit`() throws {
    let text = (0..<10).map {
      #"{"prompt":"p\#($0)","split":"\#($0 % 2 == 0 ? "train" : "valid")","m":{"k":\#($0)}}"#
    }
    .joined(separator: "\n")
    let train: JSON = [["field": "split", "is": "train"]]
    #expect(try rows(text, ("where", train)).count == 5)
    #expect(try rows(text, ("where", train), ("limit", 2)).map { $0["prompt"] } == ["p0", "p2"])
    #expect(
      try rows(text, ("where", [["field": "m.k", "is": 3], ["field": "split", "is": "valid"]])).count == 1)
    // Past the limit nothing is read, so nothing is wrong.
    #expect(try rows(text + "\nnot json", ("limit", 10)).count == 10)
  }

  @Test func `a condition can ask for null`() throws {
    let text =
      #"{"prompt":"a","s":null}"# + "\n" + #"{"prompt":"b","s":0}"# + "\n" + #"{"prompt":"c","s":false}"#
    #expect(try rows(text, ("where", [["field": "s", "is": nil]])).map { $0["prompt"] } == ["a"])
    #expect(failure(#"{"prompt":"a"}"#, ("where", [["field": "s", "is": nil]])).contains("no field `s`"))
  }

  @Test(arguments: ["\n", "\n\n \t\r\n", "\r\n\r\n", " "])
  func `blank lines at the end are no rows and no error`(end: String) throws {
    for start in ["", "\u{FEFF}"] {
      #expect(try rows(start + #"{"prompt":"a"}"# + end, ("on_bad_row", "fail")).count == 1)
    }
    #expect(failure(end) == "data.jsonl: the file holds no rows")
  }

  @Test func `errors point at file, line and column`() {
    let good = #"{"prompt":"p"}"# + "\n"
    #expect(failure(good + #"{"prompt": nope}"#).hasPrefix("data.jsonl:2:12: "))
    #expect(failure(good + "\n" + good).hasPrefix("data.jsonl:2:1: a blank line"))
    #expect(failure(good + "[1]").hasPrefix("data.jsonl:2:1: a list; expected an object"))
    #expect(
      failure(good + #"{"text":"t"}"#)
        == "data.jsonl:2:1: option `prompt`: no field `prompt`; the row has `text`")
    #expect(failure(#"{"prompt":null}"#).contains("field `prompt` is null; expected text"))
    #expect(
      failure(#"{"prompt":["a"]}"#).hasSuffix(
        "field `prompt` is a list; expected text, a number or a boolean"))
    #expect(
      failure(#"{"prompt":{"text":"a"}}"#).hasSuffix(
        "is an object; expected text, a number or a boolean; a member of it is written `{prompt.text}`"))
    #expect(failure(good, ("samples", ["generations"])).contains("option `samples`: no field `generations`"))
    #expect(failure(good, ("keep", ["label"])).contains("data.jsonl:1:1: option `keep`: no field `label`"))
    #expect(
      failure(good, ("where", [["field": "split", "is": "train"]])).contains(
        "option `where`: no field `split`"))
    #expect(failure(good, ("id", "id")).contains("option `id`: no field `id`"))
    #expect(failure(#"{"prompt":"p","id":""}"#, ("id", "id")).contains("is an empty string"))
    #expect(
      failure(#"{"prompt":"p","id":1.5}"#, ("id", "id")).contains("is a number; expected text or an integer"))
    #expect(failure(#"{"prompt":"p","prompt":"q"}"#).hasPrefix("data.jsonl:1:"))
  }

  @Test func `bytes that are not UTF-8 are an error with a position`() throws {
    let path = try bench.file("bytes.jsonl", bytes: Array(#"{"prompt":""#.utf8) + [0xFF, 0x22, 0x7D])
    let message = inputError { try bench.run(DataStage(), ["path": .string(path)]) }
    #expect(message.contains("bytes.jsonl:1:12"), "\(message)")
  }

  @Test func `a missing file, a directory and an empty file are named`() throws {
    #expect(
      inputError { try bench.run(DataStage(), ["path": "/nowhere/x.jsonl"]) }
        == "/nowhere/x.jsonl: no such file or directory")
    #expect(inputError { try bench.run(DataStage(), ["path": "/tmp"]) }.contains("/tmp: a directory"))
    #expect(inputError { try bench.run(DataStage(), ["path": "/dev/null"]) }.contains("/dev/null: a device"))
    #expect(failure("") == "data.jsonl: the file holds no rows")
    #expect(
      failure(#"{"prompt":"p","s":1}"#, ("where", [["field": "s", "is": 2]])).contains(
        "none of 1 lines was taken"))
  }

  @Test func `a wrong template is named before any line is read`() {
    for (template, part) in [
      ("{", "not closed"), ("a}", "has no `{` before it"), ("{}", "names no field"),
      ("{a{b}", "names no field"),
    ] {
      let message = failure("not json", ("prompt", .string(template)))
      #expect(message.hasPrefix("option `prompt`: ") && message.contains(part), "\(message)")
    }
    #expect(failure("x", ("keep", ["prompt"])).contains("option `keep`"))
  }

  @Test func `skipping leaves bad lines out and counts them`() throws {
    let rows = try rows(
      "{\n{\"prompt\":\"a\"}\n\n{\"text\":\"x\"}\n{\"prompt\":\"b\"}\n", ("on_bad_row", "skip"))
    #expect(rows.map { $0["prompt"] } == ["a", "b"])
    #expect(bench.reporter.measures.withLock { $0["left_out_bad_lines"] } == 3)
    #expect(bench.reporter.lines.withLock { $0.last } == "3 bad lines left out")
  }

  @Test func `a given id that comes twice names both lines, even when skipping`() {
    let text =
      #"{"prompt":"a","id":"x"}"# + "\n" + #"{"prompt":"b","id":"y"}"# + "\n" + #"{"prompt":"c","id":"x"}"#
    for mode in ["fail", "skip"] {
      #expect(
        failure(text, ("id", "id"), ("on_bad_row", .string(mode)))
          == "data.jsonl:3:1: the id `x` was given before, on line 1")
    }
  }

  @Test func `an id that a condition leaves out may come again`() throws {
    let text = #"{"prompt":"a","id":"x","s":0}"# + "\n" + #"{"prompt":"b","id":"x","s":1}"# + "\n"
    let ones: JSON = [["field": "s", "is": 1]]
    #expect(try rows(text, ("id", "id"), ("where", ones)).map { $0["prompt"] } == ["b"])
    #expect(
      failure(text + text, ("id", "id"), ("where", ones))
        == "data.jsonl:4:1: the id `x` was given before, on line 2")
  }

  @Test func `ids that differ in bytes are two ids, composed or decomposed`() throws {
    let rows = try rows(
      "{\"prompt\":\"a\",\"id\":\"caf\u{E9}\"}\n{\"prompt\":\"b\",\"id\":\"cafe\u{301}\"}", ("id", "id"))
    try #require(rows.count == 2)
    #expect(Array(rows[0].id.utf8) != Array(rows[1].id.utf8))
  }

  @Test func `a derived id belongs to the content, wherever the line stands and whatever is kept`() throws {
    let lines = [#"{"prompt":"a","n":1}"#, #"{"prompt":"a","n":2}"#, #"{"prompt":"b","n":1}"#]
    let forward = try rows(lines.joined(separator: "\n"), ("keep", ["n"]))
    let backward = try rows(lines.reversed().joined(separator: "\n"))
    let reordered = try rows(#"{"n":1, "prompt":"a"}"#)
    #expect(Set(forward.map(\.id)).count == 3)
    #expect(forward.map(\.id) == backward.reversed().map(\.id))
    #expect(reordered.first?.id == forward.first?.id)
    let twins = try rows([lines[0], lines[2], lines[0]].joined(separator: "\n"))
    #expect(twins.map { $0.id.suffix(2) } == ["-1", "-1", "-2"])
    #expect(twins.first?.id.dropLast() == twins.last?.id.dropLast())
  }

  @Test(
    .enabled(if: sharedData("toxicity_rtp_val.jsonl") != nil, "real data lies beside some checkouts only"))
  func `reads real prompts from nested fields`() throws {
    let path = try #require(sharedData("toxicity_rtp_val.jsonl"))
    let rows = try bench.run(
      DataStage(), ["path": .string(path), "prompt": "{prompt.text}", "keep": ["filename"]])
    #expect(rows["rows"]?.count == 5000)
    #expect(Set((rows["rows"] ?? []).map { UTF8Key($0.id) }).count == 5000)
  }

  @Test(
    .enabled(
      if: sharedData("tldr_prompts_summaries.jsonl") != nil, "real data lies beside some checkouts only"))
  func `reads real posts under their own ids`() throws {
    let path = try #require(sharedData("tldr_prompts_summaries.jsonl"))
    let rows = try #require(
      try bench.run(DataStage(), ["path": .string(path), "id": "id", "limit": 100])["rows"])
    #expect(rows.count == 100 && rows.first?.id == "tldr-0000")
    #expect(rows.allSatisfy { $0["prompt"]?.stringValue?.hasSuffix("TL;DR:") == true })
  }
}
