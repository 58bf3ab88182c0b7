// The tokens of one forward pass, and where each finds its sequence.

/// Tokens of several sequences side by side, each at its own position, for one forward pass.
struct TokenBatch {
  private(set) var tokens: [Int32] = []
  private var queries: [KeyValueQuery] = []
  /// Whose lists `queries` names.
  private var sequences: [CachedSequence] = []

  /// Appends tokens to a sequence's cache and to this batch; returns their rows in the batch.
  mutating func append(_ new: some Collection<Int32>, to sequence: CachedSequence) -> Range<Int> {
    let start = sequence.length
    sequence.extend(to: start + new.count)
    let first = tokens.count
    for (offset, token) in new.enumerated() {
      tokens.append(token)
      queries.append(KeyValueQuery(list: Int32(sequences.count), position: Int32(start + offset)))
    }
    sequences.append(sequence)
    return first..<tokens.count
  }

  /// The batch in parts of at most `count` tokens, and the rows that they are; later ones see what earlier ones stored.
  func pieces(of count: Int) -> [(rows: Range<Int>, batch: TokenBatch)] {
    stride(from: 0, to: tokens.count, by: count).map { start in
      let rows = start..<min(start + count, tokens.count)
      var piece = self
      piece.tokens = Array(tokens[rows])
      piece.queries = Array(queries[rows])
      return (rows, piece)
    }
  }

  /// For use while the batch's sequences live.
  func view(_ pool: PagePool) -> any KeyValueView {
    pool.backend.view(queries, of: sequences.map(\.list), layout: pool.layout)
  }
}
