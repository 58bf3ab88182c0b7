// Hard texts as Hugging Face `tokenizers` and transformers take them, frozen by `Fixtures/tokenizer/make_hard_golden.py`.

import JSON
import Models
import TestFolder
import Testing

@Suite struct HardTextTests {
  private static let folder = "\(fixtureDirectory)/tokenizer/hard"

  private static func json(_ name: String) throws -> JSON {
    try JSON(parsing: try readSmallFile("\(folder)/\(name)", limit: 1 << 20))
  }

  private static func texts() throws -> [String] {
    try #require(try json("texts.json").arrayValue?.compactMap(\.stringValue))
  }

  private static func lines(_ name: String) throws -> [JSON] {
    let bytes = try readSmallFile("\(folder)/\(name).golden.jsonl", limit: 1 << 20)
    return try bytes.split(separator: UInt8(ascii: "\n")).map { try JSON(parsing: Array($0)) }
  }

  private static func ids(_ json: JSON?) throws -> [Int32] {
    try #require(json?.arrayValue).map { Int32(truncatingIfNeeded: $0.intValue ?? -1) }
  }

  /// One of `hard/NAME.json` with the model that they share.
  private static func tokenizer(_ name: String) throws -> Tokenizer {
    var object = try #require(try json("\(name).json").objectValue)
    let merges = String(decoding: try readSmallFile("\(folder)/merges.txt", limit: 1 << 20), as: UTF8.self)
    let pairs = merges.split(separator: "\n").dropFirst().map { JSON.string(String($0)) }
    object["model"] = ["type": "BPE", "vocab": try json("vocab.json"), "merges": .array(pairs)]
    return try Tokenizer(huggingFace: .object(object))
  }

  /// What a line says of a text's ids holds.
  private func check(_ tokenizer: Tokenizer, _ text: String, _ line: JSON) throws {
    let parsed = try Self.ids(line["parsed"])
    #expect(
      tokenizer.encode(text, parseSpecial: true, addSpecialTokens: true) == parsed, "\(text.debugDescription)"
    )
    let plain = line["plain"]?.isNull == true ? parsed : try Self.ids(line["plain"])
    #expect(tokenizer.encode(text) == plain, "\(text.debugDescription)")
  }

  @Test(arguments: ["neox", "normalized", "prefix", "whole"])
  func `ids, offsets and decoded text are those of tokenizers`(name: String) throws {
    let tokenizer = try Self.tokenizer(name)
    let (texts, lines) = (try Self.texts(), try Self.lines(name))
    try #require(texts.count == lines.count && texts.count > 150)
    for (text, line) in zip(texts, lines) {
      try check(tokenizer, text, line)
      let found = tokenizer.encodeWithOffsets(text, parseSpecial: true, addSpecialTokens: true)
      #expect(found.ids == (try Self.ids(line["parsed"])), "\(text.debugDescription)")
      let offsets = found.offsets.flatMap { [$0.lowerBound, $0.upperBound] }
      #expect(
        offsets == (try #require(line["offsets"]?.arrayValue)).map { $0.intValue },
        "\(text.debugDescription)")
      let decoded = tokenizer.decode(found.ids, skipSpecial: false)
      #expect(decoded.utf8.elementsEqual((line["decoded"]?.stringValue ?? text).utf8))
    }
  }

  @Test(arguments: ["neox", "normalized", "prefix", "whole"])
  func `what is written reads back and encodes alike`(name: String) throws {
    let tokenizer = try Self.tokenizer(name)
    let written = tokenizer.huggingFaceJSON()
    let again = try Tokenizer(huggingFace: try JSON(parsing: written.text()))
    #expect(again.huggingFaceJSON() == written)
    for (text, line) in zip(try Self.texts(), try Self.lines(name)) { try check(again, text, line) }
  }

  @Test(arguments: ["gptj", "neox-folder", "bare", "flags"])
  func `a folder of vocab and merges is the tokenizer that transformers makes of it`(name: String) throws {
    let folder = TemporaryFolder()
    for file in ["vocab.json", "merges.txt"] {
      try folder.write(try readSmallFile("\(Self.folder)/\(file)", limit: 1 << 20), to: file)
    }
    for file in ["config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"] {
      let path = "\(Self.folder)/\(name)/\(file)"
      if fileExists(path) { try folder.write(try readSmallFile(path, limit: 1 << 20), to: file) }
    }
    let tokenizer = try openTokenizer(folder.path)
    let lines = try Self.lines(name)
    let first = try #require(lines.first)
    func id(_ key: String) -> Int32? { first[key]?.intValue.map { Int32(truncatingIfNeeded: $0) } }
    #expect(tokenizer.count == first["count"]?.intValue)
    #expect(tokenizer.beginToken == id("begin") && tokenizer.endToken == id("end"))
    #expect(tokenizer.padToken == id("pad") && tokenizer.unknownToken == id("unknown"))
    let special = (0..<Int32(truncatingIfNeeded: tokenizer.count)).filter(tokenizer.isSpecial)
    #expect(special == (try Self.ids(first["special"])))
    let texts = try Self.texts()
    try #require(texts.count == lines.count - 1)
    // What training writes is a tokenizer.json; it encodes alike.
    let again = try Tokenizer(huggingFace: tokenizer.huggingFaceJSON())
    for (text, line) in zip(texts, lines.dropFirst()) {
      try check(tokenizer, text, line)
      try check(again, text, line)
    }
  }

  @Test func `a text that goes on where another ends gets no space before it`() throws {
    let tokenizer = try Self.tokenizer("prefix")
    #expect(tokenizer.encode("word") == [tokenizer.id(of: "word")])
    #expect(tokenizer.decode(tokenizer.encode("ferry")) == " ferry")
    #expect(tokenizer.decode(tokenizer.encode("ferry", isContinuation: true)) == "ferry")
    #expect(tokenizer.decode(tokenizer.encode("a[note]b", isContinuation: true)) == "a[note] b")
    #expect(tokenizer.encode("", isContinuation: true).isEmpty)
  }

  @Test func `the tokens of a piece with a byte that has none have its place`() throws {
    let tokenizer = try Tokenizer(
      preTokenizer: .gpt2, model: BytePairModel(Vocabulary(["a", "b", "c"]), merges: []), addedTokens: [])
    let found = tokenizer.encodeWithOffsets("azb,cab")
    #expect(found.ids == [0, 1, 2, 0, 1])
    #expect(found.offsets == [0..<3, 0..<3, 4..<5, 5..<6, 6..<7])
  }
}
