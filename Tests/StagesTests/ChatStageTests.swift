// `chat:` of the stages that read a model: the same as rows whose prompts were written in the model's format by hand.

import JSON
import Models
import Runner
import Stages
import System
import Testing
import TinyModel

struct ChatStageTests {
  let bench = ModelBench()

  private func model(_ change: (inout TinyModel) -> Void = { _ in }) throws -> String {
    try bench.model {
      $0.chatTemplate = TinyModel.chatTemplate
      change(&$0)
    }
  }

  private static let messages: JSON = [
    ["role": "user", "content": "The film"], ["role": "assistant", "content": "had been<|im_end|>"],
    ["role": "user", "content": "was old"],
  ]

  /// In chat, and by hand: the literals are all but what stands in the messages.
  private static func rows(_ more: [JSONObject.Member] = []) -> (chat: [Row], byHand: [Row]) {
    var text = ""
    var literals: [JSON] = []
    func literal(_ part: String) {
      literals.append([.int(Int64(text.utf8.count)), .int(Int64(part.utf8.count))])
      text += part
    }
    literal("<|im_start|>system\nAnswer.<|im_end|>\n")
    for message in messages.arrayValue ?? [] {
      literal("<|im_start|>\(message["role"]?.stringValue ?? "")\n")
      text += message["content"]?.stringValue ?? ""
      literal("<|im_end|>\n")
    }
    literal("<|im_start|>assistant\n")
    return (
      [Row(.object(JSONObject([("id", "r"), ("prompt", "was old"), ("messages", messages)] + more)))],
      [
        Row(
          .object(
            JSONObject(
              [("id", "r"), ("prompt", .string(text)), ("prompt_literals", .array(literals))] + more)))
      ]
    )
  }

  @Test func `sample draws the same`() throws {
    let model = try model()
    let rows = Self.rows()
    func texts(_ rows: [Row], _ chat: JSON) throws -> JSON? {
      let options: JSON = ["n": 4, "max_new_tokens": 12, "temperature": 1.2, "chat": chat]
      let output = try bench.run(
        SampleStage(), options, models: ["model": model], rows: rows, port: "prompts")
      return try bench.rows(output)[0]["generations"]
    }
    let expected = try texts(rows.byHand, false)
    #expect(try texts(rows.chat, "Answer.") == expected)
    #expect(try texts(rows.chat, ["system": "Answer.", "date": "2024-07-26"]) == expected)
    #expect(try texts(rows.chat, true) != expected)
    #expect(try texts(rows.chat, false) != expected)
  }

  @Test func `a sample ends with the turn, whatever else the model takes for an end`() throws {
    // The template ends turns by a token that is no end token of the model.
    let model = try bench.model {
      $0.chatTemplate = TinyModel.chatTemplate.replacing("<|im_end|>", with: "<|endoftext|>")
    }
    let checkpoint = try openCheckpoint(model)
    let tokenizer = try checkpoint.requireTokenizer()
    #expect(checkpoint.endTokens == [2])
    let chat = try ChatFormat(ChatOption(), of: checkpoint, tokenizer)
    #expect(PromptReader(PromptOptions(), tokenizer, chat: chat).endTokens(of: checkpoint) == [2, 0])
    #expect(PromptReader(PromptOptions(), tokenizer).endTokens(of: checkpoint) == [2])
  }

  @Test func `perplexity is of the answer after the conversation`() throws {
    let model = try model()
    let rows = Self.rows([("generations", [" for the old", "x"])])
    func perplexity(_ rows: [Row], _ chat: JSON) throws -> JSON? {
      let output = try bench.run(
        EvaluateStage(), ["metrics": ["perplexity"], "chat": chat], models: ["reference": model], rows: rows)
      return try bench.json("\(output)/metrics.json")["perplexity"]
    }
    #expect(try perplexity(rows.chat, "Answer.") == perplexity(rows.byHand, false))
  }

  @Test func `a choice is asked for as what a user says, a reward is of the whole conversation`() throws {
    let judge = try model()
    func scores(_ scorer: JSON, _ model: String, _ rows: [Row]) throws -> JSON? {
      let output = try bench.run(ScoreStage(), ["scorer": scorer], models: ["model": model], rows: rows)
      return try bench.rows(output)[0]["rewards"]
    }
    let rows = Self.rows([("generations", [" for", "x<|im_end|>"])])
    func choice(_ template: String, _ chat: JSON?) -> JSON {
      var scorer = JSONObject([
        ("kind", "choice"), ("template", .string(template)), ("labels", ["a", "b"]), ("reward", "a"),
      ])
      if let chat { scorer["chat"] = chat }
      return .object(scorer)
    }
    #expect(
      try scores(choice("Is {prompt}{generation} good?", "Judge."), judge, rows.chat)
        == scores(
          choice(
            "<|im_start|>system\nJudge.<|im_end|>\n<|im_start|>user\nIs {prompt}{generation} good?<|im_end|>\n<|im_start|>assistant\n",
            nil), judge, rows.chat))
    let reward = try bench.model("reward") {
      $0.head = TinyModel.rewardHead
      $0.chatTemplate = TinyModel.chatTemplate
    }
    // By hand the prompt goes up to where the assistant answers, and the template ends its turn.
    #expect(
      try scores(
        ["kind": "reward", "template": "{prompt}{generation}", "chat": "Answer."], reward, rows.chat)
        == scores(["kind": "reward", "template": "{prompt}{generation}<|im_end|>\n"], reward, rows.byHand))
  }

  @Test func `training on the generation alone is training on it after a prompt by hand`() throws {
    let model = try model()
    let rows = Self.rows([("generations", [" for the old", "it was"]), ("finished", [true, false])])
    func weights(_ rows: [Row], _ changes: [(String, JSON)]) throws -> [UInt8] {
      var options = JSONObject([
        ("lr", 0.01), ("batch_size", 2), ("objective", ["kind": "sft"]), ("conditioning", ["kind": "none"]),
      ])
      for (name, value) in changes { options[name] = value }
      let output = try bench.run(TrainStage(), .object(options), models: ["model": model], rows: rows)
      return try File.read("\(output)/model/model.safetensors")
    }
    let byHand = try weights(rows.byHand, [])
    #expect(try weights(rows.chat, [("chat", "Answer."), ("turns", "last")]) == byHand)
    let all = try weights(rows.chat, [("chat", "Answer.")])
    #expect(all != byHand && bench.log.contains { $0.hasPrefix("1 of 1 rows have earlier turns") })
    #expect(try weights(rows.chat, [("chat", "Answer."), ("turns", "all")]) == all)
  }
}
