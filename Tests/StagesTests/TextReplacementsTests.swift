// `replace`: texts and where their author's words stand afterwards, in fields of `data`.

import JSON
import Runner
import Stages
import Testing

@Suite struct TextReplacementsTests {
  private let bench: StageBench
  init() throws { bench = try StageBench() }

  private func field(_ text: String, _ part: [(String, JSON)]) throws -> JSON? {
    let path = try bench.file("a.jsonl", JSON.object(JSONObject([("text", .string(text))])).text() + "\n")
    var written = JSONObject([("from", "text")])
    for (name, value) in part { written[name] = value }
    return try bench.run(
      DataStage(), ["path": .string(path), "prompt": "{part}", "fields": ["part": .object(written)]])[
        "rows"]?[
        0]["prompt"]
  }

  @Test(
    arguments: [
      ("POST: TL;DR: a TL;DR:", ["TL;DR:": ""], "POST:  a "), ("a__b___c____", ["__": "\n"], "a\nb\n_c\n\n"),
      ("aab", ["a": "aa", "aab": "x"], "x"), ("abab", ["ab": "ba"], "baba"), ("é", ["é": "e"], "e"),
      ("abc", ["d": "e"], "abc"), ("", ["a": "b"], ""),
    ] as [(String, JSON, String)])
  func `texts are replaced from the left, the longest first, and never again`(
    text: String, pairs: JSON, expected: String
  ) throws {
    #expect(try field(text, [("replace", pairs)]) == .string(expected))
  }

  @Test func `a part is cut, then replaced, then stripped`() throws {
    #expect(
      try field(
        "x: a TL;DR: TL;DR:", [("after_first", "x:"), ("replace", ["TL;DR:": ""]), ("strip", true)]) == "a")
  }
}
