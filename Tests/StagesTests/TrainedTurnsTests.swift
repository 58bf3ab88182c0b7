// What of a conversation is trained on, against transformers' masks.

import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

/// Frozen from transformers by `Fixtures/chat/make_turns.py`.
struct TrainedTurnsTests {
  let bench = ModelBench()
  private let golden: JSON

  init() throws {
    let path =
      "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Fixtures/chat/turns.json"
    golden = try JSON(parsing: readSmallFile(path, limit: 1 << 20))
  }

  private func reader(_ template: String, _ option: ChatOption = ChatOption()) throws -> PromptReader {
    let checkpoint = try openCheckpoint(bench.model { $0.chatTemplate = template })
    let tokenizer = try checkpoint.requireTokenizer()
    return PromptReader(
      PromptOptions(), tokenizer, chat: try ChatFormat(option, of: checkpoint, tokenizer))
  }

  private static func row(_ messages: [JSON]) -> Row {
    Row(["id": "r", "prompt": "", "messages": .array(messages)])
  }

  @Test func `ids and trained tokens are those of transformers, with and without generation tags`() throws {
    let cases = try #require(golden["cases"]?.arrayValue)
    #expect(cases.count == 18)
    for golden in cases {
      let name = try #require(golden["template"]?.stringValue)
      let conversation = try #require(golden["conversation"]?.stringValue)
      let source = try #require(self.golden["templates"]?[name]?.stringValue)
      let messages = try #require(self.golden["conversations"]?[conversation]?.arrayValue)
      let ids = try #require(golden["ids"]?.arrayValue).compactMap { $0.intValue.map(Int32.init) }
      let mask = try #require(golden["mask"]?.arrayValue).map { $0 == 1 }
      let prompt = try #require(golden["prompt"]?.arrayValue).compactMap { $0.intValue.map(Int32.init) }
      let bare = source.replacing("{% generation %}", with: "").replacing("{% endgeneration %}", with: "")
      for template in [source, bare] {
        let reader = try reader(template)
        let tokenizer = try readTokenizer(TinyModel.tokenizerPath)
        let row = Self.row(Array(messages.dropLast()))
        #expect(try reader.text(of: row).tokens(tokenizer) == prompt, "\(name), \(conversation)")
        let answer = try #require(messages.last?["content"]?.stringValue)
        let output =
          try reader.answer(answer, of: row, isGiven: true, ends: true).continuationTokens(tokenizer)
          + [try #require(reader.chat).turnEnd()]
        let earlier = try reader.earlierTurns(of: row)
        let before = earlier.map { $0.context + $0.output } ?? prompt
        var trained = [Bool](repeating: false, count: before.count)
        for target in earlier?.targets ?? [] {
          for index in target { trained[index + (earlier?.context.count ?? 0)] = true }
        }
        let found = before + output
        trained += output.map { _ in true }
        #expect(found == Array(ids.prefix(found.count)), "\(name), \(conversation)")
        #expect(trained == Array(mask.prefix(found.count)), "\(name), \(conversation)")
        #expect(!mask.dropFirst(found.count).contains(true), "\(name), \(conversation)")
      }
    }
  }

  @Test func `a sample is trained on as it was drawn, a given text as the template writes it`() throws {
    let reader = try reader(#require(golden["templates"]?["llama2"]?.stringValue))
    let row = Self.row([["role": "user", "content": "a"]])
    func text(_ isGiven: Bool, ends: Bool = true) throws -> String {
      try reader.answer(" b", of: row, isGiven: isGiven, ends: ends).text
    }
    #expect(try text(false) == " b")
    #expect(try text(true) == " b ")
    #expect(try text(true, ends: false) == " b")
  }

  @Test func `conditioning stands before the user's last text, and its special tokens are read`() throws {
    let reader = try reader(TinyModel.chatTemplate, ChatOption(system: "s"))
    let row = Self.row([
      ["role": "user", "content": "a"], ["role": "assistant", "content": "b"],
      ["role": "user", "content": "c"],
    ])
    let text = try reader.text(of: row, after: ModelText(literal: "<|endoftext|>good: "))
    #expect(
      text.text.hasSuffix(
        "assistant\nb<|im_end|>\n<|im_start|>user\n<|endoftext|>good: c<|im_end|>\n<|im_start|>assistant\n"))
    let tokenizer = try readTokenizer(TinyModel.tokenizerPath)
    #expect(text.tokens(tokenizer).filter { $0 == 0 }.count == 1)
    #expect(text.text.contains("system\ns<|im_end|>"))
    let unasked = Self.row([["role": "assistant", "content": "b"]])
    #expect(
      inputError { _ = try reader.text(of: unasked, after: ModelText(literal: "good")) }
        .contains("row `r`: its `messages` have no turn of the user"))
  }

  @Test(arguments: [
    ("{% for m in messages %}{{ m.role ~ ': ' ~ m.content ~ '\\n' }}{% endfor %}", "writes no special token"),
    (
      "{% for m in messages %}{{ m.content ~ '<|im_end|>' if m.role == 'user' }}{% endfor %}",
      "no special token"
    ),
  ])
  func `a template that ends no turn is refused, with what to do`(template: String, words: String) throws {
    let reader = try reader(template)
    let message = inputError { _ = try reader.chat?.turnEnd() }
    #expect(message.contains(words) && message.contains("`end: never`"), "\(message)")
  }

  @Test func `earlier turns that the template leaves out are an error with the row`() throws {
    let reader = try reader(
      "{% for m in messages %}{% if loop.last or m.role == 'user' %}{{ m.content ~ '<|im_end|>' }}{% endif %}{% endfor %}"
    )
    let row = Self.row([
      ["role": "user", "content": "a"], ["role": "assistant", "content": "b"],
      ["role": "user", "content": "c"],
    ])
    let message = inputError { _ = try reader.earlierTurns(of: row) }
    #expect(message.hasPrefix("row `r`: ") && message.contains("of 1 earlier turns"), "\(message)")
    #expect(message.contains("`turns: last`"))
  }

  @Test(arguments: [
    ("2024-02-29", 19_782), ("1970-01-01", 0), ("2000-03-01", 11_017), ("1900-03-01", -25_508),
  ])
  func `a date is a day of the calendar`(date: String, days: Int) {
    #expect(ChatOption.seconds(of: date) == days * 86_400)
  }

  @Test(arguments: [
    "2023-02-29", "2024-13-01", "2024-1-1", "today", "", "2024-02-30", "0000-01-01", "２０２４-01-01",
  ])
  func `what is no date is none`(date: String) { #expect(ChatOption.seconds(of: date) == nil) }
}
