// A reward model: a decoder with a head of one output, read at the last token.

/// Scores whole texts. Source: `LlamaForSequenceClassification` of transformers with one label.
package final class RewardModel {
  private let decoder: Decoder
  private let head: any PackedMatrix

  private static let tokenBudget = 1024

  /// - Throws: `FormatError` when the checkpoint has no `score.weight` of [1, C].
  package init(_ checkpoint: Checkpoint, decoder: Decoder) throws {
    let name = ParameterLayout.scoreHead
    guard checkpoint.tensors.names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else {
      throw FormatError(
        path: checkpoint.path, part: "tensor `\(name)`",
        "a reward model has a head of one output under this name, but there is none; is this a language model?"
      )
    }
    let shape = try checkpoint.tensors.shape(of: name)
    guard shape == [1, decoder.configuration.hiddenSize] else {
      throw FormatError(
        path: checkpoint.path, part: "tensor `\(name)`",
        "expected shape [1, \(decoder.configuration.hiddenSize)], found \(shape)")
    }
    self.decoder = decoder
    let weights = try Parameters.read(name, shape, from: checkpoint.tensors, on: decoder.backend)
    head = decoder.backend.pack(weights, as: decoder.mode.operandType, over: nil)
  }

  /// Calls `emit` with the score of each text, in order.
  /// - Throws: `CacheExhausted`, `LogitsNotFinite`, and what `emit` or `checkpoint` throws.
  package func score(
    _ texts: [[Int32]], memory: Int, checkpoint: () throws -> Void, emit: (Int, Float) throws -> Void
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
      let scores = decoder.backend.tensor(last.count, 1)
      decoder.forward(batch, pool, rows: last, tokensAtOnce: Self.tokenBudget) { places, x in
        decoder.backend.multiply(
          decoder.normalized(x), head, into: scores.slice(places), accumulate: false)
      }
      for (offset, score) in scores.read().enumerated() {
        guard score.isFinite else { throw LogitsNotFinite(index: first + offset) }
        try emit(first + offset, score)
      }
    }
  }
}
