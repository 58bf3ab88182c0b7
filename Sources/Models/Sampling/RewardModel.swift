// The outputs of a head at the last token of texts: how reward models and classifiers score.

/// Reads whole texts. Source: transformers' `…ForSequenceClassification`, which reads the last token that is no padding; there is
/// no padding here.
package final class RewardModel {
  private let decoder: Decoder

  private static let tokenBudget = 1024

  /// - Precondition: the decoder's head is no language model's.
  package init(_ decoder: Decoder) {
    precondition(decoder.configuration.head != .language, "a language model has no score")
    self.decoder = decoder
  }

  /// Calls `emit` with the head's outputs, one for each label or a value alone, at the last token of each text, in order.
  /// - Parameter texts: of at least one token each.
  /// - Throws: `CacheExhausted`, `LogitsNotFinite`, and what `emit` or `checkpoint` throws.
  package func score(
    _ texts: [[Int32]], memory: Int, checkpoint: () throws -> Void, emit: (Int, [Float]) throws -> Void
  ) throws {
    let pool = decoder.pagePool(memory: memory)
    var next = 0
    while next < texts.count {
      try checkpoint()
      var batch = TokenBatch()
      var last: [Int32] = []
      let first = next
      while next < texts.count, last.isEmpty || batch.tokens.count + texts[next].count <= Self.tokenBudget {
        guard let cache = CachedSequence(pool, positions: texts[next].count) else {
          if last.isEmpty {
            throw CacheExhausted(
              wantedBytes: PagePool.pageCount(texts[next].count) * pool.pageBytes, capacityBytes: memory)
          }
          break
        }
        last.append(Int32(batch.append(texts[next], to: cache).upperBound - 1))
        next += 1
      }
      var outputs: [[Float]] = []
      decoder.forward(batch, pool, rows: last, tokensAtOnce: Self.tokenBudget) { _, x in
        let rows = decoder.logits(x)
        for row in 0..<rows.rows { outputs.append(rows.slice(row..<row + 1).read()) }
      }
      for (offset, outputs) in outputs.enumerated() {
        guard outputs.allSatisfy(\.isFinite) else { throw LogitsNotFinite(index: first + offset) }
        try emit(first + offset, outputs)
      }
    }
  }
}
