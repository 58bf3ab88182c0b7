// `messages:` of `data`: conversations, and the answers that end them.

import JSON
import Runner
import Stages
import Testing

struct MessagesDataTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  private func rows(_ text: String, _ options: (String, JSON)...) throws -> [Row] {
    let path = try bench.file("data.jsonl", text)
    let all = [("path", JSON.string(path)), ("id", "id")] + options
    return try bench.run(DataStage(), .object(JSONObject(all.map { ($0.0, $0.1) })))["rows"] ?? []
  }

  private func failure(_ text: String, _ options: (String, JSON)...) -> String {
    inputError {
      let all = [("path", JSON.string(try bench.file("data.jsonl", text)))] + options
      try bench.run(DataStage(), .object(JSONObject(all.map { ($0.0, $0.1) })))
    }
    .replacing(bench.directory + "/", with: "")
  }

  private static let conversation = #"""
    {"id": "a", "c": [{"role": "system", "content": "s"}, {"role": "user", "content": "u1", "weight": 0},
    {"role": "assistant", "content": "a1"}, {"role": "user", "content": "u2"}, {"role": "assistant", "content": "a2"}]}
    """#.replacing("\n", with: "")

  private static let history: JSON = [
    ["role": "system", "content": "s"], ["role": "user", "content": "u1"],
    ["role": "assistant", "content": "a1"], ["role": "user", "content": "u2"],
  ]

  @Test func `the last answer becomes the generation, and the user's last text the prompt`() throws {
    #expect(
      try rows(Self.conversation, ("messages", "c"))
        == [Row(["id": "a", "prompt": "u2", "messages": Self.history, "generations": ["a2"]])])
    #expect(
      try rows(Self.conversation, ("messages", "c"), ("last_turn", "drop"))
        == [Row(["id": "a", "prompt": "u2", "messages": Self.history])])
    #expect(try rows(Self.conversation, ("messages", "c"), ("prompt", "{id}!")).first?["prompt"] == "a!")
  }

  @Test(arguments: [
    #"[{"from": "human", "value": "u"}, {"from": "gpt", "value": "a"}]"#,
    #"[{"role": "user", "content": [{"type": "text", "text": "u"}]}, {"role": "assistant", "content": "a", "tool_calls": null}]"#,
    #"[{"from": "prompter", "value": "u"}, {"from": "chatgpt", "value": [{"type": "text", "text": "a"}, {"type": "text", "text": ""}]}]"#,
  ])
  func `conversations are read as the hub has them`(text: String) throws {
    #expect(
      try rows(#"{"id": "a", "c": \#(text)}"#, ("messages", "c"))
        == [
          Row([
            "id": "a", "prompt": "u", "messages": [["role": "user", "content": "u"]], "generations": ["a"],
          ])
        ])
  }

  @Test func `of a pair the shared part is the conversation, and the last turns are the generations`() throws
  {
    let line = #"""
      {"id": "a", "chosen": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "good"}],
      "rejected": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "bad"}], "scores": [2, 1]}
      """#.replacing("\n", with: "")
    #expect(
      try rows(line, ("messages", ["chosen", "rejected"]), ("samples", ["scores"]))
        == [
          Row([
            "id": "a", "prompt": "u", "messages": [["role": "user", "content": "u"]],
            "generations": ["good", "bad"], "scores": [2, 1],
          ])
        ])
    let other = line.replacing(
      #""rejected": [{"role": "user", "content": "u"}"#,
      with: #""rejected": [{"role": "user", "content": "v"}"#)
    #expect(
      failure(other, ("messages", ["chosen", "rejected"])).contains(
        "option `messages`: `rejected` differs from `chosen` before its last turn"))
  }

  @Test(arguments: [
    (#"{"c": "text"}"#, "`c` is a string; expected a list of messages"),
    (#"{"c": []}"#, "`c` is an empty list"),
    (#"{"c": [{"content": "u"}]}"#, "has no `role` (or `from`) in entry 0"),
    (#"{"c": [{"role": "user", "content": 1}]}"#, "`content` in entry 0; expected a text"),
    (#"{"c": [{"role": "user"}]}"#, "has no `content` in entry 0"),
    (#"{"c": [{"role": "user", "content": [{"type": "image"}]}]}"#, "`content` in entry 0; expected a text"),
    (
      #"{"c": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "", "tool_calls": [1]}]}"#,
      "has `tool_calls` in entry 1, which is not read"
    ),
    (#"{"c": [{"role": "user", "content": "u"}]}"#, "`last_turn: drop` makes prompts of conversations"),
    (#"{"c": [{"role": "assistant", "content": "a"}]}"#, "has no turn of the user to answer"),
    (#"{"d": 1}"#, "no field `c`; the row has `d`"),
  ])
  func `what is no conversation is refused with its place`(line: String, words: String) {
    let message = failure(line, ("messages", "c"))
    #expect(message.hasPrefix("data.jsonl:1:1: option `messages`: ") && message.contains(words), "\(message)")
  }

  @Test func `columns follow from the options`() throws {
    let port = try #require(
      DataStage.declaration(for: ["messages": ["c", "d"], "keep": ["n"]]).outputs.first)
    #expect(port.columns == ["prompt", "messages", "n"] && port.samples == ["generations"])
    let dropped = try #require(
      DataStage.declaration(for: ["messages": "c", "last_turn": "drop"]).outputs.first)
    #expect(dropped.columns == ["prompt", "messages"] && dropped.samples == [])
  }

  private static let split: JSON = ["prompt": "prompt", "answers": ["chosen", "rejected"]]

  @Test(arguments: [
    #"[{"role": "user", "content": "u"}]"#, #"[{"from": "human", "value": "u"}]"#, #""u""#,
  ])
  func `a prompt's turns in a field of their own stand before each answer`(prompt: String) throws {
    let whole = #"[{"role": "user", "content": "u"}, {"role": "assistant", "content": "bad"}]"#
    for rejected in [#"[{"role": "assistant", "content": "bad"}]"#, whole] {
      let line = #"""
        {"id": "a", "prompt": \#(prompt), "chosen": [{"role": "assistant", "content": "good"}], "rejected": \#(rejected)}
        """#
      #expect(
        try rows(line, ("messages", Self.split))
          == [
            Row([
              "id": "a", "prompt": "u", "messages": [["role": "user", "content": "u"]],
              "generations": ["good", "bad"],
            ])
          ])
    }
    let one = #"{"id": "a", "prompt": \#(prompt), "completion": [{"role": "assistant", "content": "good"}]}"#
    #expect(
      try rows(one, ("messages", ["answers": "completion"])).first?["generations"] == ["good"])
  }

  @Test(arguments: [
    (#"[]"#, #"[{"role": "assistant", "content": "b"}]"#, "`prompt` is an empty list"),
    (
      #"1"#, #"[{"role": "assistant", "content": "b"}]"#,
      "`prompt` is an integer; expected a list of messages"
    ),
    (
      #"[{"role": "system", "content": "s"}]"#, #"[{"role": "assistant", "content": "b"}]"#,
      "`prompt` has no turn of the user to answer"
    ),
    (
      #"[{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]"#,
      #"[{"role": "assistant", "content": "b"}]"#, "`prompt` ends with a turn of the assistant"
    ),
    (#""u""#, #"[{"role": "user", "content": "b"}]"#, "`rejected` does not end with a turn of the assistant"),
    (
      #""u""#, #"[{"role": "user", "content": "v"}, {"role": "assistant", "content": "b"}]"#,
      "`rejected` does not begin with the turns of `prompt`"
    ),
    (#""u""#, #""b""#, "`rejected` is a string; expected a list of messages"),
  ])
  func `a prompt and answers that do not fit are refused with their place`(
    prompt: String, rejected: String, words: String
  ) {
    let line =
      #"{"id": "a", "prompt": \#(prompt), "chosen": [{"role": "assistant", "content": "g"}], "rejected": \#(rejected)}"#
    let message = failure(line, ("messages", Self.split))
    #expect(message.hasPrefix("data.jsonl:1:1: option `messages`: ") && message.contains(words), "\(message)")
  }

  @Test func `answers are not dropped, and their columns follow`() throws {
    #expect(
      failure(#"{"id": "a"}"#, ("messages", Self.split), ("last_turn", "drop")).contains(
        "`messages` names `answers`, and `last_turn` drops these"))
    let port = try #require(DataStage.declaration(for: ["messages": Self.split]).outputs.first)
    #expect(port.columns == ["prompt", "messages"] && port.samples == ["generations"])
  }
}
