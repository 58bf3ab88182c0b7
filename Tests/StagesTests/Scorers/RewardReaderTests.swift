// What a reward model reads of a row, against METHODS 1.5 in Python.

import JSON
import Models
import Runner
import Stages
import System
import Testing

@Suite struct RewardReaderTests {
  /// As CarperAI's reward model reads it, without its mistakes.
  static let fixed: JSON = [
    "template": "<|startoftext|>{prompt}\nTL;DR: {generation}<|endoftext|>",
    "text_markers": ["<|startoftext|>"],
    "strip": true, "separator": "TL;DR:", "read_before": "<|endoftext|>",
  ]

  private static let tests = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

  private func tokenizer(_ name: String = "gpt2") throws -> Tokenizer {
    try readTokenizer("\(Self.tests)/ModelsTests/Fixtures/tokenizer/\(name).json")
  }

  private func options(_ changed: [(String, JSON)], _ base: JSON = fixed) -> JSON {
    var object = base.objectValue ?? JSONObject()
    for (name, value) in changed { object[name] = value }
    if object["template"] == nil { object["template"] = "{prompt}{generation}" }
    return .object(object)
  }

  private func tokens(_ options: JSON, _ prompt: JSON, _ generation: JSON, _ name: String = "gpt2") throws
    -> [Int32]
  {
    var reader = try RewardReader(
      RewardText(StageOptions(options)), try tokenizer(name), contextLength: 2048)
    let row = Row(["id": "a", "prompt": prompt, "generations": [generation]])
    return try reader.fit(RowItem(rowIndex: 0, row: row, item: 0))?.tokens ?? []
  }

  /// Fixtures/reward/make_reward_texts.py
  @Test func `ids and the position of the score are those of an independent reading`() throws {
    let lines = try readLines("\(Self.tests)/StagesTests/Fixtures/reward/texts.jsonl")
    #expect(lines.count > 80)
    var cut = 0
    for line in lines {
      let length = try #require(line["max_length"])
      let exact: [(String, JSON)] = [
        ("split", "everywhere"), ("special_tokens", "parse"), ("max_length", length),
      ]
      for (name, changed) in [
        ("original", exact), ("fixed", [("max_length", length)]),
        ("left", [("max_length", length), ("truncation", "left")]),
      ] {
        let (prompt, generation) = (line["prompt"] ?? nil, line["generation"] ?? nil)
        guard let expected = line[name]?.arrayValue else {
          let message = inputError { _ = try tokens(options(changed), prompt, generation) }
          #expect(message.hasPrefix("row `a`: its prompt has no `TL;DR:`"))
          continue
        }
        let found = try tokens(options(changed), prompt, generation)
        #expect(found.map { .int(Int64($0)) } == expected, "\(name): \(line.text())")
        if found.count == length.intValue { cut += 1 }
      }
    }
    #expect(cut > 20)
  }

  @Test func `a text marker is text though the model has the token, and a row's marker only where asked`()
    throws
  {
    let template: JSON = ["template": "<|im_start|>{prompt}{generation}"]
    let special = try tokens(template, "a", "b<|im_end|>")
    let plain = try tokens(options([("text_markers", ["<|im_start|>"])], template), "a", "b<|im_end|>")
    #expect(special.first == 1 && plain.first != 1 && !special.contains(2))
    #expect(try tokens(options([("special_tokens", "parse")], template), "a", "b<|im_end|>").last == 2)
  }

  @Test func `the token that begins every text survives a cut at the left`() throws {
    let all = try tokens(["template": "{prompt}{generation}"], "one two", " three four", "llama3")
    let cut = try tokens(
      options([("max_length", 4), ("truncation", "left")], [:]), "one two", " three four", "llama3")
    #expect(all.first == 1 && cut == [1] + all.suffix(3))
    let right = try tokens(options([("max_length", 4)], [:]), "one two", " three four", "llama3")
    #expect(right == Array(all.prefix(4)))
  }

  @Test func `what cannot be read is named`() throws {
    #expect(
      inputError { _ = try tokens(options([("read_before", "<|nobody|>")]), "a TL;DR:", "b") }
        == "`read_before` is `<|nobody|>`, which is no special token of the model")
    #expect(
      inputError { _ = try tokens(options([("max_length", 4096)]), "a TL;DR:", "b") }
        == "`max_length` is 4096, but the model's context is 2048 tokens")
    #expect(
      inputError {
        _ = try tokens(options([("read_before", "<|im_end|>")], ["template": "<|im_end|>{prompt}"]), "a", "b")
      }.hasPrefix("row `a`: the text to score begins with `<|im_end|>`"))
    #expect(
      inputError { _ = try tokens(options([], [:]), "", "") }.hasPrefix(
        "row `a`: the text to score is empty"))
  }
}

private func readLines(_ path: String) throws -> [JSON] {
  try File.read(path).split(separator: UInt8(ascii: "\n")).map { try JSON(parsing: Array($0)) }
}
