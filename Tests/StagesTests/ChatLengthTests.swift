// Conversations that are too long: of the user's last text as much is read as fits, the template's own tokens stay.

import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

struct ChatLengthTests {
  let bench = ModelBench()
  let model: String
  let tokenizer: Tokenizer
  init() throws {
    model = try bench.model { $0.chatTemplate = TinyModel.chatTemplate }
    tokenizer = try openCheckpoint(model).requireTokenizer()
  }

  private func row(_ question: String, messages: Bool) -> Row {
    var row = Row(["id": "r", "prompt": .string(question), "generations": [" was old"]])
    guard messages else { return row }
    row["messages"] = [
      ["role": "user", "content": "The film"], ["role": "assistant", "content": "had been"],
      ["role": "user", "content": .string(question)],
    ]
    return row
  }

  /// By hand: the longest end of the question with which `count` is at most `maximum`.
  private func shortened(_ question: String, to maximum: Int, count: (String) -> Int) -> String {
    var left = question
    var tokens = tokenizer.encode(question)
    while count(left) > maximum {
      tokens.removeFirst()
      left = tokenizer.decode(tokens)
    }
    return left
  }

  private let question = String(repeating: "and nobody counted on the old film, ", count: 12)

  @Test(arguments: [false, true]) func `sample reads the end of a long question`(messages: Bool) throws {
    let reader = PromptReader(
      PromptOptions(), tokenizer, chat: try ChatFormat(ChatOption(), of: try openCheckpoint(model), tokenizer)
    )
    func sample(_ row: Row, _ more: [JSONObject.Member]) throws -> JSON? {
      let options: [JSONObject.Member] = [("max_new_tokens", 4), ("statistics", true), ("chat", true)]
      let output = try bench.run(
        SampleStage(), .object(JSONObject(options + more)), models: ["model": model], rows: [row],
        port: "prompts")
      return try bench.rows(output)[0]["log_probabilities"]
    }
    let left = shortened(question, to: 100) { question in
      (try? reader.text(of: row(question, messages: messages)).tokens(tokenizer).count) ?? 0
    }
    #expect(!left.isEmpty && left.count < question.count)
    let long = row(question, messages: messages)
    let found = try sample(
      long, [("max_length", 100), ("overflow", "cut"), ("cut", ["side": "left", "field": nil])])
    #expect(try found == sample(row(left, messages: messages), []))
    #expect(bench.log.contains("1 prompts cut"))
    guard messages else { return }
    #expect(
      inputError { _ = try sample(long, [("overflow", "cut"), ("cut", ["side": "left", "field": "post"])]) }
        .hasPrefix("row `r`: `cut` names the field `post`, but of a row with `messages` only"))
  }

  @Test(arguments: ["last", "all"]) func `training reads the end of a long question, and all answers`(
    turns: String
  ) throws {
    func loss(_ row: Row, _ more: [JSONObject.Member]) throws -> JSON {
      let options: [JSONObject.Member] = [
        ("objective", ["kind": "sft"]), ("conditioning", ["kind": "none"]), ("lr", 1e-4), ("chat", true),
        ("turns", .string(turns)),
      ]
      let output = try bench.run(
        TrainStage(), .object(JSONObject(options + more)), models: ["model": model], rows: [row])
      return try bench.json("\(output)/metrics.json")
    }
    let reader = PromptReader(
      PromptOptions(), tokenizer, chat: try ChatFormat(ChatOption(), of: try openCheckpoint(model), tokenizer)
    )
    // ` was old` and the token that ends the turn.
    let rest = tokenizer.encode(" was old").count + 1
    let left = shortened(question, to: 100 - rest) { question in
      (try? reader.text(of: row(question, messages: true)).tokens(tokenizer).count) ?? 0
    }
    let cutting: [JSONObject.Member] = [
      ("max_length", 100), ("overflow", "cut"), ("cut", ["side": "left", "field": nil]),
    ]
    let found = try loss(row(question, messages: true), cutting)
    #expect(found["samples_cut"] == 1)
    #expect(try found["loss"] == loss(row(left, messages: true), [])["loss"])
    #expect(
      inputError { _ = try loss(row(question, messages: true), [("max_length", 100)]) }.contains(
        "1 of 1 samples has more than 100 tokens"))
    // The generation, as the template writes it, without the token that ends the turn.
    let long = String(repeating: " was old", count: 40)
    var answered = row("So?", messages: true)
    answered["generations"] = [.string(long)]
    let generation = try loss(
      answered,
      [("max_length", 100), ("overflow", "cut"), ("cut", ["side": "right", "field": "generation"])])
    #expect(generation["samples_cut"] == 1)
    #expect(bench.log.contains("0 of 1 samples are trained with the end token appended"))
  }
}
