// Texts that end a sample, wherever the boundaries of tokens fall.

/// The first text to be complete ends the sample; of two that end at the same byte, the longer one counts.
package struct StopTexts: Sendable {
  private let tokenizer: Tokenizer
  /// Longest first, none of them empty.
  private let texts: [[UInt8]]

  package init(_ texts: [String], _ tokenizer: Tokenizer) {
    self.tokenizer = tokenizer
    self.texts = texts.map { Array($0.utf8) }.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
  }

  /// Adds a token to what a sample has written.
  /// - Returns: where a stop text stands in `written`, once one is complete.
  func push(_ token: Int32, onto written: inout [UInt8]) -> Range<Int>? {
    if texts.isEmpty || tokenizer.isSpecial(token) { return nil }
    for byte in tokenizer.tokenBytes(token) {
      written.append(byte)
      if let text = texts.first(where: { written.suffix($0.count).elementsEqual($0) }) {
        return written.count - text.count..<written.count
      }
    }
    return nil
  }
}
