// Which records satisfy `where`.

import JSON
import Models
import Runner
import Stages
import Testing

struct RecordConditionTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private static let records: [JSON] = [
    ["id": "a", "n": 1, "t": "one two  three\u{85}four", "u": "x", "v": nil],
    ["id": "b", "n": 2.5, "t": "", "u": "y", "v": true],
    ["id": "c", "n": -3, "t": "\u{1F469}\u{200D}\u{1F467} é", "u": "", "v": 0],
    ["id": "d", "n": "1e3", "t": "two", "u": "two", "v": "s"],
  ]

  @Test(arguments: [
    (#"{"field":"n","is":1}"#, "a"),
    (#"{"field":"n","is":[1,2.5,"1e3"]}"#, "a b d"),
    (#"{"field":"v","is":null}"#, "a"),
    (#"{"field":"v","is":[null,true]}"#, "a b"),
    (#"{"field":"v","not":null}"#, "b c d"),
    (#"{"field":"v","not":[0,"s"]}"#, "a b"),
    (#"{"field":"t","differs_from":"u"}"#, "a b c"),
    (#"{"field":"n","less":2.5}"#, "a c"),
    (#"{"field":"n","at_most":2.5}"#, "a b c"),
    (#"{"field":"n","greater":1}"#, "b d"),
    (#"{"field":"n","at_least":1,"less":1000}"#, "a b"),
    (#"{"field":"t","contains":"two"}"#, "a d"),
    (#"{"field":"t","lacks":"two"}"#, "b c"),
    (#"{"field":"t","contains":""}"#, "a b c d"),
    (#"{"field":"t","words":{"at_least":4}}"#, "a"),
    (#"{"field":"t","words":{"at_most":0}}"#, "b"),
    (#"{"field":"t","characters":{"at_least":5,"at_most":5}}"#, "c"),
    (#"{"field":"t","characters":{"at_most":3},"not":""}"#, "d"),
  ]) func `a record is taken that passes all tests of a condition`(written: String, expected: String) throws {
    let rows = try bench.dataRows(
      Self.records.map { $0.text() + "\n" }.joined(),
      ["prompt": "p", "id": "id", "where": [try JSON(parsing: written)]])
    #expect(rows.map(\.id).joined(separator: " ") == expected)
    let left = Self.records.count - rows.count
    #expect(bench.leftOut == (left == 0 ? [] : ["rows_by_where: \(left)"]))
  }

  @Test func `a field that cannot be tested so is a bad row`() {
    let text = #"{"prompt":"p","n":"x","l":[1]}"#
    for (condition, reason) in [
      (
        ["field": "n", "less": 1] as JSON,
        "field `n` is a string; expected a number, or a text that spells one"
      ),
      (["field": "l", "at_least": 1], "field `l` is a list; expected a number"),
      (["field": "l", "contains": "a"], "field `l` is a list; expected text"),
      (["field": "l", "words": ["at_least": 1, "at_most": nil]], "field `l` is a list; expected text"),
      (["field": "n", "differs_from": "m"], "no field `m`; the row has `prompt`, `n`, `l`"),
      (["field": "m", "not": 1], "no field `m`; the row has `prompt`, `n`, `l`"),
    ] {
      #expect(
        bench.dataFailure(text, ["where": [condition]]) == "data.jsonl:1:1: option `where`: \(reason)")
    }
  }

  @Test func `a condition that tests nothing, or that nothing satisfies, is refused`() {
    let text = #"{"prompt":"p"}"#
    #expect(
      bench.dataFailure(text, ["where": [["field": "prompt"]]]).hasPrefix(
        "option `where.0` does not test `prompt`; write one of `is`, "))
    #expect(
      bench.dataFailure(text, ["where": [["field": "prompt", "words": ["at_least": nil, "at_most": nil]]]])
        == "option `where.0.words` has no bound; write `at_least`, `at_most` or both")
    #expect(
      bench.dataFailure(text, ["where": [["field": "prompt", "words": ["at_least": 3, "at_most": 2]]]])
        == "option `where.0.words`: no text has at least 3 and at most 2")
    #expect(
      bench.dataFailure(text, ["where": [["field": "prompt", "tokens": ["at_least": 3, "at_most": nil]]]])
        == "option `where`: `tokens` needs the input `tokenizer`")
    #expect(
      bench.dataFailure(text, ["where": [["field": "prompt", "is": ["a", "b"]]]])
        == "data.jsonl: none of 1 lines was taken: 0 were bad, 1 did not satisfy `where`")
  }

  @Test func `tokens are those of the text alone`() throws {
    let models = ModelBench()
    let model = try models.model()
    let tokenizer = try openCheckpoint(model).requireTokenizer()
    let texts = ["", "a", "The film had been fine", "<|im_start|>"]
    let path = try bench.file(
      "texts.jsonl", texts.map { JSON.object(JSONObject([("prompt", .string($0))])).text() + "\n" }.joined())
    let counts = texts.map { tokenizer.encode($0).count }
    for bound in Set(counts) {
      let output = try models.run(
        DataStage(),
        [
          "path": .string(path),
          "where": [["field": "prompt", "tokens": ["at_least": nil, "at_most": .int(Int64(bound))]]],
        ],
        models: ["tokenizer": model], rows: [], port: "none")
      let rows = try readRows("\(output)/rows.jsonl")
      #expect(rows.map { $0["prompt"] } == zip(texts, counts).filter { $1 <= bound }.map { .string($0.0) })
    }
  }
}
