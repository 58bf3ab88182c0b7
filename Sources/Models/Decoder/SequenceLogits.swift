// All logits of one sequence: for looking at a model, and for comparing it with others.

/// Computes logits through the cache, as sampling and scoring do.
package struct SequenceLogits {
  private let decoder: Decoder

  package init(_ decoder: Decoder) { self.decoder = decoder }

  /// Logits [T][V] of a sequence read in pieces of `chunk` tokens; the pieces change no bit.
  /// - Throws: `CacheExhausted` when the sequence does not fit `memory` bytes of keys and values.
  package func logits(_ tokens: [Int32], chunk: Int = .max, memory: Int = 1 << 30) throws -> [[Float]] {
    let pool = PagePool(decoder.configuration, mode: decoder.mode, memory: memory)
    guard let cache = CachedSequence(pool, positions: tokens.count) else {
      throw CacheExhausted(
        wantedBytes: PagePool.pageCount(tokens.count) * pool.pageBytes, capacityBytes: memory)
    }
    var rows: [[Float]] = []
    for start in stride(from: 0, to: tokens.count, by: min(chunk, max(tokens.count, 1))) {
      var batch = TokenBatch()
      _ = batch.append(tokens[start..<min(start + min(chunk, tokens.count), tokens.count)], to: cache)
      let x = decoder.hidden(tokens: batch.tokens, positions: batch.positions, view: batch.view(pool))
      let logits = decoder.logits(x)
      for row in 0..<logits.rows { rows.append(logits.slice(row..<row + 1).array()) }
    }
    return rows
  }
}
