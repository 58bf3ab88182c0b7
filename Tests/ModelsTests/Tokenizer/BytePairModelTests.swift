// Byte-pair merging beside its definition.

import Models
import Testing

@Suite struct BytePairModelTests {
  /// Of four letters and what random pairs of tokens make.
  private static func model(_ random: inout TestRandom) throws -> (
    model: BytePairModel, tokens: [String], merges: [(left: String, right: String)]
  ) {
    var tokens = ["a", "b", "c", "d"]
    var merges: [(left: String, right: String)] = []
    while merges.count < 60 {
      let pair = (left: tokens[random.below(tokens.count)], right: tokens[random.below(tokens.count)])
      guard pair.left.utf8.count + pair.right.utf8.count <= 12, !tokens.contains(pair.left + pair.right)
      else {
        continue
      }
      tokens.append(pair.left + pair.right)
      merges.append(pair)
    }
    return (try BytePairModel(Vocabulary(tokens), merges: merges), tokens, merges)
  }

  /// The pair of the lowest rank merges, the leftmost of equals first, until none does.
  private static func merged(_ text: String, _ merges: [(left: String, right: String)]) -> [String] {
    var pieces = text.map(String.init)
    while true {
      let found = (0..<max(0, pieces.count - 1)).compactMap { place in
        merges.firstIndex { $0.left == pieces[place] && $0.right == pieces[place + 1] }.map { ($0, place) }
      }
      guard let (_, place) = found.min(by: <) else { return pieces }
      pieces.replaceSubrange(place...(place + 1), with: [pieces[place] + pieces[place + 1]])
    }
  }

  @Test func `pieces of any length are merged as the definition says`() throws {
    var random = TestRandom(state: 11)
    for _ in 0..<8 {
      let (model, tokens, merges) = try Self.model(&random)
      let encode = model.encoder()
      for length in Array(1...12) + Array(36...46) + [90] {
        // `x` has no token and is left out.
        let text = String((0..<length).map { _ in Array("abcdaabx")[random.below(8)] })
        var ids: [Int32] = []
        Array(text.utf8).withUnsafeBufferPointer { encode($0, &ids) }
        #expect(ids.map { tokens[Int($0)] } == Self.merged(text.replacing("x", with: ""), merges), "\(text)")
      }
    }
  }

  @Test func `many texts at once have the ids that each has alone`() throws {
    let tokenizer = try TokenizerTests.fixture()
    let texts = (0..<200).map {
      "The \($0)th ferry, <|im_end|> and so é日本 on" + String(repeating: "x", count: $0)
    }
    for threads in [1, 2, 5] {
      #expect(try tokenizer.encode(texts, threads: threads) == texts.map { tokenizer.encode($0) })
    }
    #expect(try tokenizer.encode([], threads: 3).isEmpty)
  }
}
