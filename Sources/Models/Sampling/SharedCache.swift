// The cache of what all sequences of a piece of work begin with, computed once: a template's instructions and examples, mostly.

/// Keys and values of the tokens that all sequences have in common at their start.
struct SharedCache {
  /// Nil when there are none.
  let cache: CachedSequence?
  let length: Int

  static var none: SharedCache { SharedCache(cache: nil, length: 0) }

  private init(cache: CachedSequence?, length: Int) {
    self.cache = cache
    self.length = length
  }

  /// Computes it where it pays and fits. Each sequence keeps at least its last token for itself.
  init(of sequences: [[Int32]], _ decoder: Decoder, _ pool: PagePool, tokensAtOnce: Int) {
    let first = sequences.first ?? []
    let length =
      sequences.count > 1 ? sequences.reduce(first.count - 1) { min($0, commonLength(first, $1)) } : 0
    guard length > 0, let cache = CachedSequence(pool, positions: length) else {
      self = .none
      return
    }
    var batch = TokenBatch()
    _ = batch.append(first[0..<length], to: cache)
    decoder.forward(batch, pool, tokensAtOnce: tokensAtOnce)
    self = SharedCache(cache: cache, length: length)
  }
}
