// `chat` and `messages`, before anything runs.

import Stages
import Testing
import TinyModel

@Suite struct ChatCheckTests {
  private func problems(
    _ stage: String, data: String = "path: chat.jsonl, messages: messages",
    template: String? = TinyModel.chatTemplate
  ) throws -> [String] {
    let bench = try CheckBench()
    try bench.model("m") { $0.chatTemplate = template }
    return try bench.check(
      """
      version: 1
      name: example
      models: {m: {path: m}}
      stages:
        rows: {uses: data, with: {\(data)}}
        it: {\(stage)}
      """)
  }

  private static let sample =
    "uses: sample, in: {model: m, prompts: rows}, with: {max_new_tokens: 4, chat: true}"
  private static let train =
    "uses: train, in: {model: m, rows: rows}, with: {lr: 1e-3, objective: {kind: sft}, conditioning: {kind: none}, chat: true}"

  @Test func `conversations are sampled, trained on and measured in chat`() throws {
    #expect(try problems(Self.sample) == [])
    #expect(try problems(Self.train) == [])
    #expect(
      try problems(
        "uses: evaluate, in: {reference: m, rows: rows}, with: {metrics: [perplexity], chat: You are kind.}")
        == [])
  }

  @Test(arguments: [sample, train])
  func `a model without a template is refused`(stage: String) throws {
    let found = try problems(stage, template: nil)
    #expect(found.count == 1 && found[0].hasPrefix("error[wrong-model] at 6 \"true\": "), "\(found)")
    #expect(found[0].contains("`chat` is set, but the model at `model` has no chat template"), "\(found)")
  }

  @Test func `a template that cannot be used is refused`() throws {
    #expect(try problems(Self.sample, template: "{% include 'x' %}")[0].contains("the statement `include`"))
    let dated = try problems(Self.sample, template: "{{ strftime_now('%Y') }}{{ messages[0].content }}")
    #expect(dated[0].contains("`chat: {date: YYYY-MM-DD}` says which one"), "\(dated)")
    let date = Self.sample.replacing("chat: true", with: "chat: {date: 2024-07-26}")
    #expect(try problems(date, template: "{{ strftime_now('%Y') }}{{ messages[0].content }}") == [])
    #expect(
      try problems(Self.sample.replacing("chat: true", with: "chat: {date: 2024-13-01}"))[0]
        .hasPrefix("error[wrong-value] at 6 \"2024-13-01\": "))
    let endless = "{% for m in messages %}{{ m.content }}{% endfor %}"
    #expect(try problems(Self.sample, template: endless) == [])
    #expect(try problems(Self.train, template: endless)[0].contains("it is not known what ends a turn"))
    #expect(
      try problems(Self.train.replacing("chat: true", with: "chat: true, end: never"), template: endless)
        == [])
  }

  @Test func `conversations without chat are a warning`() throws {
    let found = try problems(Self.sample.replacing(", chat: true", with: ""))
    #expect(found.count == 1 && found[0].hasPrefix("warning[unread-messages] at 6 \"rows\": "), "\(found)")
  }

  @Test(arguments: [
    (train.replacing("chat: true", with: "turns: all"), "`turns` says which turns of a chat are trained on"),
    (
      train.replacing(
        "conditioning: {kind: none}", with: "turns: all, conditioning: {kind: text, prefixes: [a]}"),
      "`turns: all` trains on turns that have no class"
    ),
    (
      "uses: score, in: {model: m, rows: rows}, with: {scorer: {kind: reward, chat: true, strip: true}}",
      "`strip` says how the text is made that is read"
    ),
  ])
  func `options that contradict each other are refused`(stage: String, words: String) throws {
    #expect(try problems(stage).contains { $0.contains("error[conflicting-options]") && $0.contains(words) })
  }

  @Test(arguments: [
    ("path: chat.jsonl, messages: mesages", "no field `mesages`"),
    ("path: chat.jsonl, messages: [messages, messages], last_turn: drop", "`messages` names 2 fields"),
    ("path: train.jsonl, last_turn: drop", "`last_turn` says what becomes of the last turn of `messages`"),
    ("path: train.jsonl, messages: prompt", "`prompt` is a string; expected a list of messages"),
  ])
  func `what is no conversation is found`(data: String, words: String) throws {
    #expect(try problems(Self.sample, data: data).contains { $0.hasPrefix("error[") && $0.contains(words) })
  }

  @Test func `chat written by hand is pointed to the model's template`() throws {
    let found = try problems(
      Self.sample.replacing(", chat: true", with: ""),
      data: "path: train.jsonl, prompt: \"[INST] {prompt} [/INST]\"")
    #expect(found.count == 1 && found.allSatisfy { $0.hasPrefix("warning[unread-marker]") }, "\(found)")
    let twice = try problems(
      Self.sample, data: "path: train.jsonl, prompt: \"<|im_start|>user\\n{prompt}<|im_end|>\\n\"")
    #expect(twice.count == 1 && twice[0].hasPrefix("error[conflicting-options]"), "\(twice)")
  }
}
