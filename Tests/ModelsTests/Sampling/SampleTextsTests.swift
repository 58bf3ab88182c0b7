// Stop texts that a token completes before its end, and texts cut inside a character.

import Models
import Testing

struct SampleTextsTests {
  /// Tokens `a`, `b`, `.`, `.a` and the three bytes of U+20AC.
  private func tokenizer() throws -> Tokenizer {
    let euro = Array("€".utf8).map { String(Character(ByteAlphabet.scalars[Int($0)])) }
    return try Tokenizer(
      preTokenizer: PreTokenizerSteps([]),
      model: BytePairModel(Vocabulary(["a", "b", "."] + euro + [".a"]), merges: [(".", "a")]),
      addedTokens: [])
  }

  @Test func `all bytes of a token that completes a stop text are kept`() throws {
    let texts = SampleTexts(stops: ["."], try tokenizer())
    var written: [UInt8] = []
    #expect(texts.push(0, onto: &written) == nil)
    #expect(texts.push(6, onto: &written) == 1..<2)
    #expect(written == Array("a.a".utf8))
    // Where the first one did not count, the next is found at its own place.
    #expect(texts.push(2, onto: &written) == 3..<4)
    let both = SampleTexts(stops: [".", "a"], try tokenizer())
    written = []
    #expect(both.push(6, onto: &written) == 0..<1)
    #expect(written == Array(".a".utf8))
  }

  @Test func `a character that was not finished is left out of a text`() throws {
    func text(_ tokens: [Int32], stop: Range<Int>? = nil, keepsStop: Bool = true) throws -> String {
      SampledSequence(
        request: 0, sample: 0, tokens: tokens, finish: stop == nil ? .length : .stop, stop: stop,
        statistics: TokenStatistics()
      ).text(try tokenizer(), keepsStop: keepsStop)
    }
    #expect(try text([0, 3, 4, 5]) == "a€")
    #expect(try text([0, 3, 4]) == "a" && text([0, 3]) == "a")
    #expect(try text([0, 3, 4, 5, 3]) == "a€")
    #expect(try text([0, 6], stop: 1..<2) == "a." && text([0, 6], stop: 1..<2, keepsStop: false) == "a")
    // In the middle it cannot be left out without changing what was drawn.
    #expect(try text([0, 4, 1]) == "a\u{FFFD}b")
  }
}
