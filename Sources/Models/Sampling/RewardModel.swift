// The outputs of a head at the last token of texts: how reward models and classifiers score.

/// Reads whole texts; of neighbours that begin alike, such as a prompt with several samples, the common beginning once. Source:
/// transformers' `…ForSequenceClassification`, which reads the last token that is no padding; there is no padding here.
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
    let forward = SharedForward(decoder: decoder, pool: pool, tokenBudget: Self.tokenBudget)
    try forward.run(texts, checkpoint: checkpoint) { batch, members, _ in
      var outputs: [[Float]] = []
      let last = members.map { Int32($0.rows.upperBound - 1) }
      decoder.forward(batch, pool, rows: last, tokensAtOnce: Self.tokenBudget) { _, x in
        let rows = decoder.logits(x)
        for row in 0..<rows.rows { outputs.append(rows.slice(row..<row + 1).read()) }
      }
      for (member, outputs) in zip(members, outputs) {
        guard outputs.allSatisfy(\.isFinite) else { throw LogitsNotFinite(index: member.index) }
        try emit(member.index, outputs)
      }
    }
  }
}
