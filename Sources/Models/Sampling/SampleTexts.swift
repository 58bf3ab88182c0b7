// Texts that end a sample, and texts that it never holds, wherever the boundaries of tokens fall.

package struct SampleTexts: Sendable {
  private struct Banned: Sendable {
    let text: [UInt8]
    /// Tokens that complete the text after its first k bytes, by k; after none of them those that hold all of it.
    let completing: [[Int32]]
  }

  private let tokenizer: Tokenizer
  /// Longest first.
  private let stops: [[UInt8]]
  private let banned: [Banned]

  /// - Parameters:
  ///   - stops: the first to be complete ends the sample; of two that end at the same byte, the longer one counts.
  ///   - banned: a token that would complete one of these is not drawn. The prompt is not looked at.
  package init(stops: [String] = [], banned: [String] = [], _ tokenizer: Tokenizer) {
    self.tokenizer = tokenizer
    self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
    self.banned = banned.map { Array($0.utf8) }.filter { !$0.isEmpty }.map { text in
      var completing = [[Int32]](repeating: [], count: text.count)
      for id in 0..<Int32(tokenizer.count) where !tokenizer.isSpecial(id) {
        let bytes = tokenizer.tokenBytes(id)
        if Self.holds(bytes, text) { completing[0].append(id) }
        for known in 1..<text.count where bytes.starts(with: text[known...]) { completing[known].append(id) }
      }
      return Banned(text: text, completing: completing)
    }
  }

  private static func holds(_ bytes: ArraySlice<UInt8>, _ text: [UInt8]) -> Bool {
    bytes.count >= text.count
      && bytes.indices.dropLast(text.count - 1).contains { bytes[$0...].starts(with: text) }
  }

  /// Adds all bytes of a token to what a sample has written.
  /// - Returns: where the first stop text that they complete stands in `written`.
  package func push(_ token: Int32, onto written: inout [UInt8]) -> Range<Int>? {
    if tokenizer.isSpecial(token) { return nil }
    var found: Range<Int>?
    for byte in tokenizer.tokenBytes(token) {
      written.append(byte)
      if found == nil, let text = stops.first(where: { written.suffix($0.count).elementsEqual($0) }) {
        found = written.count - text.count..<written.count
      }
    }
    return found
  }

  var bansTexts: Bool { !banned.isEmpty }

  /// Tokens that would complete a banned text.
  func bannedTokens(after written: [UInt8]) -> [Int32] {
    banned.flatMap { banned in
      banned.completing.indices.filter { written.suffix($0).elementsEqual(banned.text[..<$0]) }
        .flatMap { banned.completing[$0] }
    }
  }
}
