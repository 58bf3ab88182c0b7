// All logits of sequences: for looking at a model, and for comparing it with others.

/// Computes logits through the cache, as sampling and scoring do.
package struct SequenceLogits {
  private let decoder: Decoder

  package init(_ decoder: Decoder) { self.decoder = decoder }

  /// Logits [T][V] of a sequence read in pieces of `chunk` tokens; the pieces change no bit.
  /// - Throws: `CacheExhausted` when the sequence does not fit `memory` bytes of keys and values.
  package func logits(_ tokens: [Int32], chunk: Int = .max, memory: Int = 1 << 30) throws -> [[Float]] {
    try logits(sideBySide: [tokens], chunk: chunk, memory: memory)[0]
  }

  /// The same of several sequences, whose pieces go through the model together; the company changes no bit.
  package func logits(
    sideBySide sequences: [[Int32]], chunk: Int = .max, memory: Int = 1 << 30
  ) throws -> [[[Float]]] {
    precondition(chunk > 0, "pieces of \(chunk) tokens")
    let pool = decoder.pagePool(memory: memory)
    let caches = try sequences.map { tokens in
      guard let cache = CachedSequence(pool, positions: tokens.count) else {
        throw CacheExhausted(
          wantedBytes: PagePool.pageCount(tokens.count) * pool.pageBytes, capacityBytes: memory)
      }
      return cache
    }
    var result: [[[Float]]] = sequences.map { _ in [] }
    while true {
      var batch = TokenBatch()
      var parts: [(sequence: Int, rows: Range<Int>)] = []
      for (index, tokens) in sequences.enumerated() where caches[index].length < tokens.count {
        let piece = tokens[caches[index].length...].prefix(chunk)
        parts.append((index, batch.append(piece, to: caches[index])))
      }
      if parts.isEmpty { return result }
      let x = decoder.hidden(tokens: batch.tokens, view: batch.view(pool))
      let logits = decoder.logits(x)
      for (sequence, rows) in parts {
        for row in rows { result[sequence].append(logits.slice(row..<row + 1).read()) }
      }
    }
  }
}
