// A text that is too long, cut in one field: the rule against Hugging Face's tokenizers, and what it keeps.

import JSON
import Models
import Runner
import Stages
import System
import Testing
import TinyModel

struct TextCutTests {
  private static let tests = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")

  private func tokenizer(_ name: String) throws -> Tokenizer {
    try readTokenizer("\(Self.tests)/ModelsTests/Fixtures/tokenizer/\(name).json")
  }

  /// The field may be cut.
  private func text(_ before: String, _ field: String, _ after: String) -> ModelText {
    var text = ModelText(literal: before)
    let start = text.text.utf8.count
    text.append(field: field)
    let end = text.text.utf8.count
    text.append(literal: after)
    text.allowCutting([start..<end])
    return text
  }

  private func left(_ text: ModelText, _ maximum: Int, _ side: TextCut.Side, _ tokenizer: Tokenizer)
    -> ModelText?
  {
    text.cut(to: maximum, at: side, tokenizer) { text.cut($0).tokens(tokenizer).count }.map { text.cut($0) }
  }

  /// Fixtures/length/make_cuts.py: every number of tokens tried, the longest part that fits.
  @Test func `ids and text are those of an independent search`() throws {
    let path = "\(Self.tests)/StagesTests/Fixtures/length/cuts.jsonl"
    let lines = try File.read(path).split(separator: 0x0A).map { try JSON(parsing: Array($0)) }
    #expect(lines.count == 120)
    var tokenizers: [String: Tokenizer] = [:]
    var refused = 0
    for line in lines {
      let name = try #require(line["tokenizer"]?.stringValue)
      let tokenizer = try tokenizers[name] ?? tokenizer(name)
      tokenizers[name] = tokenizer
      func member(_ name: String) throws -> String { try #require(line[name]?.stringValue) }
      let side = try #require(TextCut.Side(rawValue: try member("side")))
      let found = left(
        text(try member("before"), try member("field"), try member("after")),
        try #require(line["limit"]?.intValue), side, tokenizer)
      #expect(found?.text == line["text"]?.stringValue, "\(line.text())")
      #expect(
        found.map { .array($0.tokens(tokenizer).map { .int(Int64($0)) }) } ?? .null == line["ids"],
        "\(line.text())")
      if found == nil { refused += 1 }
    }
    #expect(refused > 3)
  }

  @Test func `what stands around the field stays, with its special tokens`() throws {
    let tokenizer = try tokenizer("smollm")
    let start = try #require(tokenizer.id(of: "<|im_start|>"))
    let long = text(
      "<|im_start|>POST:", String(repeating: " <|im_start|> had been fine", count: 9), "<|im_start|>TL;DR:")
    let whole = long.tokens(tokenizer)
    let tail = tokenizer.encode("TL;DR:")
    let rest = text("<|im_start|>POST:", "", "<|im_start|>TL;DR:").tokens(tokenizer).count
    for side in TextCut.Side.allCases {
      for maximum in (rest...whole.count).reversed() {
        let ids = try #require(left(long, maximum, side, tokenizer)).tokens(tokenizer)
        #expect(ids.count <= maximum && ids.count > maximum - 8)
        #expect(ids.first == start && ids.suffix(tail.count + 1) == [start] + tail)
        #expect(ids.count { $0 == start } == 2)
      }
      #expect(left(long, rest - 1, side, tokenizer) == nil)
    }
  }

  @Test func `a field that stands in the text twice loses the same twice`() throws {
    let tokenizer = try tokenizer("smollm")
    var long = ModelText(literal: "had been fine, had been fine!")
    long.allowCutting([0..<13, 15..<28])
    for maximum in 3..<long.tokens(tokenizer).count {
      let found = try #require(left(long, maximum, .right, tokenizer))
      #expect(found.tokens(tokenizer).count <= maximum)
      let kept = found.text.prefix { $0 != "," }
      #expect(found.text == "\(kept), \(kept)!" && "had been fine".hasPrefix(kept) && kept.count < 13)
    }
  }

  @Test func `no character is cut in two`() throws {
    let tokenizer = try tokenizer("gpt2")
    let long = text("", "👩‍👩‍👧‍👦漢字é", ".")
    let whole = Array(long.text.unicodeScalars)
    for maximum in 1..<long.tokens(tokenizer).count {
      let right = try #require(left(long, maximum, .right, tokenizer)).text
      #expect(whole.dropLast().starts(with: right.unicodeScalars.dropLast()))
      let text = try #require(left(long, maximum, .left, tokenizer)).text
      #expect(whole.reversed().starts(with: text.unicodeScalars.reversed()))
    }
  }
}
