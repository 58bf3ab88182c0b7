import Glibc
import JSON
import Models
import TestFolder
import Testing

/// Frozen from Hugging Face `tokenizers` by `Fixtures/tokenizer/make_golden.py`.
@Suite struct TokenizerGoldenTests {
  static let variants = ["smollm", "gpt2", "llama3", "qwen2", "digit-runs"]

  struct Golden {
    let text: String
    let plain: [Int32]
    let parsed: [Int32]
    let decoded: String
  }

  static func goldens(_ path: String, plain: String, parsed: String, decoded: String) throws -> [Golden] {
    let bytes = try readSmallFile(path, limit: 1 << 24)
    return try bytes.split(separator: UInt8(ascii: "\n")).map { line in
      let json = try JSON(parsing: Array(line))
      func ids(_ key: String) throws -> [Int32] {
        try #require(json[key]?.arrayValue).map { Int32(truncatingIfNeeded: $0.intValue ?? -1) }
      }
      return Golden(
        text: try #require(json["text"]?.stringValue), plain: try ids(plain), parsed: try ids(parsed),
        decoded: try #require(json[decoded]?.stringValue))
    }
  }

  private func check(_ tokenizer: Tokenizer, _ golden: Golden) {
    #expect(tokenizer.encode(golden.text) == golden.plain, "\(golden.text.debugDescription)")
    let parsed = tokenizer.encode(golden.text, parseSpecial: true, addSpecialTokens: true)
    #expect(parsed == golden.parsed, "\(golden.text.debugDescription)")
    let decoded = tokenizer.decode(golden.parsed, skipSpecial: false)
    #expect(decoded.utf8.elementsEqual(golden.decoded.utf8), "\(golden.text.debugDescription)")
  }

  @Test(arguments: variants)
  func `encodes and decodes as Hugging Face does`(name: String) throws {
    let tokenizer = try readTokenizer("\(fixtureDirectory)/tokenizer/\(name).json")
    let goldens = try Self.goldens(
      "\(fixtureDirectory)/tokenizer/\(name).golden.jsonl", plain: "plain", parsed: "parsed",
      decoded: "decoded")
    #expect(goldens.count > 100)
    for golden in goldens { check(tokenizer, golden) }
  }

  @Test(arguments: variants)
  func `what is written reads back and encodes alike`(name: String) throws {
    let tokenizer = try readTokenizer("\(fixtureDirectory)/tokenizer/\(name).json")
    let written = tokenizer.huggingFaceJSON()
    let again = try Tokenizer(huggingFace: try JSON(parsing: written.text()))
    #expect(again.huggingFaceJSON() == written)
    for golden in try Self.goldens(
      "\(fixtureDirectory)/tokenizer/\(name).golden.jsonl", plain: "plain", parsed: "parsed",
      decoded: "decoded")
    { check(again, golden) }
  }

  @Test(
    .enabled(
      if: fileExists("\(conformanceDirectory)/tokenizer"), "no conformance material beside the package"))
  func `agrees with the conformance vectors`() throws {
    let tokenizer = try readTokenizer("\(conformanceDirectory)/tokenizer/tiny_bpe_tokenizer.json")
    let goldens = try Self.goldens(
      "\(conformanceDirectory)/tokenizer/tiny_bpe_golden.jsonl", plain: "ids", parsed: "ids",
      decoded: "decoded")
    #expect(goldens.count > 50)
    for golden in goldens {
      #expect(
        tokenizer.encode(golden.text, parseSpecial: true) == golden.parsed, "\(golden.text.debugDescription)")
      #expect(
        tokenizer.decode(golden.parsed, skipSpecial: false) == golden.decoded,
        "\(golden.text.debugDescription)")
    }
  }

  @Test func `the streaming decoder gives what decoding at once gives`() throws {
    let tokenizer = try readTokenizer("\(fixtureDirectory)/tokenizer/smollm.json")
    var random = TestRandom(state: 3)
    for _ in 0..<3000 {
      // Mostly single bytes, so that broken characters of every kind come up.
      let ids = (0..<(1 + random.below(12))).map { _ in
        Int32(
          truncatingIfNeeded: random.below(4) == 0 ? random.below(tokenizer.count) : 3 + random.below(256))
      }
      for skipSpecial in [true, false] {
        var stream = StreamingDecoder(tokenizer, skipSpecial: skipSpecial)
        var text = ""
        for id in ids { text += stream.push(id) }
        text += stream.finish()
        #expect(text.utf8.elementsEqual(tokenizer.decode(ids, skipSpecial: skipSpecial).utf8), "\(ids)")
      }
    }
  }

  @Test func `a character spread over tokens appears when it is complete`() throws {
    let tokenizer = try readTokenizer("\(fixtureDirectory)/tokenizer/smollm.json")
    let ids = tokenizer.encode("é\u{1F9FF}")
    var stream = StreamingDecoder(tokenizer)
    let texts = ids.map { stream.push($0) }
    #expect(texts.joined() == "é\u{1F9FF}")
    #expect(texts.allSatisfy { !$0.unicodeScalars.contains("\u{FFFD}") })
    #expect(stream.finish() == "")
    // Cut short, the character is repaired once, at the end.
    let cut = Array(tokenizer.encode("\u{1F9FF}").dropLast())
    #expect(cut.map { stream.push($0) }.joined() == "")
    #expect(stream.finish() == "\u{FFFD}")
    #expect(tokenizer.decode(cut) == "\u{FFFD}")
  }

  @Test func `every byte of any text survives, since every byte has a token`() throws {
    let tokenizer = try readTokenizer("\(fixtureDirectory)/tokenizer/gpt2.json")
    var random = TestRandom(state: 9)
    for _ in 0..<500 {
      var scalars = String.UnicodeScalarView()
      for _ in 0..<random.below(40) {
        if let scalar = Unicode.Scalar(UInt32(random.below(random.below(2) == 0 ? 0x250 : 0x11_0000))) {
          scalars.append(scalar)
        }
      }
      let text = String(scalars)
      // [LEFT] and [RIGHT] take whitespace with them, but no random text spells them.
      #expect(tokenizer.decode(tokenizer.encode(text)).utf8.elementsEqual(text.utf8))
    }
  }

  @Test func `a long run without a pre-token boundary takes no quadratic time`() throws {
    let tokenizer = try readTokenizer("\(fixtureDirectory)/tokenizer/smollm.json")
    let seconds = processorSeconds {
      #expect(tokenizer.encode(String(repeating: "theboats", count: 100_000)).count > 100_000)
    }
    #expect(seconds < 5)
  }
}
