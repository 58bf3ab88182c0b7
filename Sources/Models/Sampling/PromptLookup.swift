// Draft tokens of a sample: what followed when its last tokens stood in its prompt, or in itself, before.

/// Source: Saxena, "Prompt Lookup Decoding", 2023. Deviation: a draft token is accepted only where the sampler draws it with its own
/// random number from its own logits, which do not depend on their company. So drafts change no bit, only the time.
package enum PromptLookup {
  /// Tokens that must have stood there before. With fewer, more draft tokens are rejected than pay (docs/lab-log.md).
  static let matched = 4

  /// The tokens after the last place before the end where the final ones stood; going round where these overlap.
  /// - Returns: `count` tokens, or none.
  package static func draft(after tokens: [Int32], count: Int) -> [Int32] {
    guard count > 0, tokens.count > matched else { return [] }
    let end = tokens.suffix(matched)
    let start = (0..<tokens.count - matched).last { tokens[$0..<$0 + matched].elementsEqual(end) }
    guard let next = start.map({ $0 + matched }) else { return [] }
    return (0..<count).map { tokens[next + $0 % (tokens.count - next)] }
  }
}

/// A draft in a forward pass: its tokens, and the rows of logits after each of them.
struct DraftTokens {
  let tokens: [Int32]
  let rows: Range<Int>
}
