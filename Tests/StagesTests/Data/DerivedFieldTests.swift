// Fields that `data` makes of others, and texts without white space at their ends.

import JSON
import Runner
import Stages
import Testing

struct DerivedFieldTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private let post =
    #"{"prompt":"POST: TL;DR: a POST: b\n\nTL;DR: c\n\nTL;DR:","n":7,"who":{"name":"Ann"},"list":[" a ",1]}"#

  @Test(arguments: [
    (#"{"from":"prompt","after_first":"POST: ","before_last":"\n\nTL;DR:"}"#, "TL;DR: a POST: b\n\nTL;DR: c"),
    (#"{"from":"prompt","after_last":"POST: ","before_first":"\n\nTL;DR:"}"#, "b"),
    (#"{"from":"prompt","after_first":"TL;DR:","before_first":"TL;DR:"}"#, " a POST: b\n\n"),
    (#"{"from":"prompt","after_last":"TL;DR:"}"#, ""),
    (#"{"from":"prompt","before_first":"POST"}"#, ""),
    (#"{"from":"prompt","after_first":"a POST: b","before_last":"TL;DR:","strip":true}"#, "TL;DR: c"),
    (#""{who.name}: {n}""#, "Ann: 7"),
  ]) func `a field is a template over others, or a part of one`(written: String, expected: String) throws {
    let rows = try bench.dataRows(
      post, ["fields": ["new": try JSON(parsing: written)], "prompt": "{new}", "keep": ["new"]])
    #expect(rows.first?["new"] == .string(expected))
    #expect(rows.first?["prompt"] == .string(expected))
  }

  @Test func `a field alone keeps its kind, and stands for the record's of its name everywhere`() throws {
    let rows = try bench.dataRows(
      post,
      [
        "fields": [
          "n": ["from": "who.name"], "number": ["from": "n"], "prompt": "<{prompt}>", "copy": "{prompt}",
        ],
        "keep": ["n", "number", "copy"], "where": [["field": "n", "is": "Ann"]], "prompt": "{n}{prompt}",
      ])
    // `number` reads the new `n`; a field that reads itself reads the record's.
    let row = try #require(rows.first)
    #expect(row["n"] == "Ann" && row["number"] == "Ann")
    #expect(row["copy"]?.stringValue?.hasPrefix("<POST: ") == true)
    #expect(row["prompt"]?.stringValue?.hasPrefix("Ann<POST: ") == true)
    // The id is that of the record.
    #expect(try bench.dataRows(post, [:]).first?.id == row.id)
  }

  @Test func `the order in which fields are written changes nothing`() throws {
    let written: [(String, JSON)] = [
      ("z", "{n}!"), ("a", "{z}{m.x}"), ("m", ["from": "who"]), ("b", "{a}{z}"),
    ]
    let line = #"{"n":1,"who":{"x":"y"}}"#
    func row(_ fields: [(String, JSON)]) throws -> Row? {
      try bench.dataRows(line, ["fields": .object(JSONObject(fields)), "prompt": "{b}", "keep": ["a", "m"]])
        .first
    }
    #expect(try row(written)?["prompt"] == "1!y1!")
    #expect(try row(written)?.columns.text() == row(written.reversed())?.columns.text())
  }

  @Test func `a wrong field is named with its option`() {
    func failure(_ fields: JSON, _ text: String? = nil) -> String {
      bench.dataFailure(text ?? post, ["fields": fields, "prompt": "{n}"])
    }
    #expect(
      failure(["post": ["from": "prompt", "after_first": "Post: "]])
        == #"data.jsonl:1:1: option `fields.post`: field `prompt` does not contain "Post: ""#)
    #expect(
      failure(["post": ["from": "n", "strip": true]])
        == "data.jsonl:1:1: option `fields.post`: field `n` is an integer; expected text")
    #expect(
      failure(["new": "{who}"]).hasPrefix(
        "data.jsonl:1:1: option `fields.new`: field `who` is an object; expected text"))
    #expect(
      failure(["new": "{nn}"]).contains("option `fields.new`: no field `nn`; the row has `prompt`, `n`"))
    #expect(failure(["new": "{nn"]).contains("option `fields.new`: `{` at byte 1 is not closed"))
    #expect(
      failure(["a": "{b}", "b": "{c}", "c": "{a}", "d": "{a}"])
        == "option `fields`: `a`, `b`, `c`, `d` are made of each other")
    #expect(
      failure(["a": ["from": "n", "after_first": "x", "after_last": "y"]]).contains(
        "names the first and the last occurrence of a text"))
    #expect(failure(["a": ["from": "prompt", "before_last": ""]]).contains("looks for an empty text"))
  }

  @Test func `texts are stripped as Python strips them, where it is asked for`() throws {
    let space = "\u{1C}\u{1F} \t\n\u{0B}\u{85}\u{A0}\u{2003}\u{3000}"
    let record: JSON = [
      "prompt": .string(space + "a \u{200B}" + space), "list": [.string(space + "x"), 1], "n": 1,
      "in": ["text": .string(space)],
    ]
    func row(_ strip: JSON) throws -> Row {
      let rows = try bench.dataRows(
        record.text(),
        [
          "strip": strip, "keep": ["text": "in.text", "list": "list", "n": "n", "whole": "in"],
          "fields": ["p": "[{prompt}]"], "prompt": "{p}",
        ]
      )
      return try #require(rows.first)
    }
    let all = try row(true)
    #expect(all["prompt"] == "[a \u{200B}]" && all["list"] == ["x", 1] && all["text"] == "" && all["n"] == 1)
    #expect(all["whole"] == record["in"])
    let one = try row(["in.text"])
    #expect(
      one["text"] == "" && one["list"] == record["list"]
        && one["prompt"] == .string("[\(space)a \u{200B}\(space)]"))
    #expect(try row(false)["text"] == record["in"]?["text"])
    #expect(try row([])["list"] == record["list"])
  }

  @Test(
    .enabled(if: sharedData("hh_harmless_test.jsonl") != nil, "real data lies beside some checkouts only"))
  func `prompts of HH lose the blank lines they begin with`() throws {
    let path = try #require(sharedData("hh_harmless_test.jsonl"))
    let rows = try #require(
      try bench.run(DataStage(), ["path": .string(path), "strip": ["prompt"], "id": "id"])["rows"])
    #expect(rows.count == 2308)
    #expect(rows.allSatisfy { $0["prompt"]?.stringValue?.hasPrefix("Human: ") == true })
    #expect(rows.allSatisfy { $0["prompt"]?.stringValue?.hasSuffix("Assistant:") == true })
  }
}
