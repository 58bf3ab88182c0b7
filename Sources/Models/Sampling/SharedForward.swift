// Forward passes over sequences that begin alike: what neighbours have in common at the start is computed once.

/// What a sequence's positions hold depends on the model and the sequence alone, not on what is computed with it.
struct SharedForward {
  let decoder: Decoder
  let pool: PagePool
  /// Tokens in one batch, tails included; changes no result.
  let tokenBudget: Int

  /// What follows a sequence in its batch: continuations of it.
  struct Tail {
    var tokens = 0
    var pages = 0
  }

  /// A sequence of a batch, whose tokens beyond the shared ones stand in these rows.
  struct Member {
    let index: Int
    let cache: CachedSequence
    let rows: Range<Int>
  }

  /// Pages that were promised to a batch before it was computed.
  struct Promise {
    fileprivate let pool: PagePool
    fileprivate(set) var pages = 0

    /// A sequence that goes on from another's first positions, in pages that were promised.
    mutating func fork(_ cache: CachedSequence?, at length: Int, positions: Int, pages: Int) -> CachedSequence
    {
      pool.release(reserved: pages)
      self.pages -= pages
      guard let fork = CachedSequence(pool, positions: positions, sharing: cache, first: length) else {
        preconditionFailure("\(pages) pages were promised and are not there")
      }
      return fork
    }
  }

  /// Calls `body` with batches: their tokens, which are not computed yet, and the sequences that they belong to, all of them in order.
  /// - Throws: `CacheExhausted`, and what `body` or `checkpoint` throws.
  func run(
    _ sequences: [[Int32]], tail: (Int) -> Tail = { _ in Tail() }, checkpoint: () throws -> Void,
    _ body: (TokenBatch, [Member], inout Promise) throws -> Void
  ) throws {
    var shared = SharedCache(of: sequences, decoder, pool, tokensAtOnce: tokenBudget)
    // What is still to compute, the next group last.
    var waiting = Array(
      sharedPrefixes(of: sequences, beyond: shared.length, tokenBudget: tokenBudget).reversed())
    while !waiting.isEmpty {
      try checkpoint()
      var batch: [Part] = []
      var tokens = 0
      // For the sequences and tails of the batch, which are computed after all its prefixes.
      var promise = Promise(pool: pool)
      defer { pool.release(reserved: promise.pages) }
      while let group = waiting.last {
        let cost = group.items.reduce(group.length - shared.length) {
          $0 + sequences[$1].count - group.length + tail($1).tokens
        }
        if !batch.isEmpty, tokens + cost > tokenBudget { break }
        let pages = group.items.reduce(0) {
          $0 + Self.pages(sequences[$1], sharing: group.length) + tail($1).pages
        }
        guard let part = part(group, shared), pool.reserve(pages) else {
          if !batch.isEmpty { break }
          if group.items.count == 1 {
            guard shared.cache != nil else {
              throw CacheExhausted(
                wantedBytes: pages * pool.pageBytes, capacityBytes: pool.capacity * pool.pageBytes)
            }
            // Without the pages that all share it may fit.
            shared = .none
            waiting = waiting.map {
              $0.items.count == 1 ? SharedPrefix(items: $0.items, length: 0) : $0
            }
            continue
          }
          // Too much for the memory at one time: one by one.
          waiting.removeLast()
          waiting += group.items.reversed().map { SharedPrefix(items: $0..<$0 + 1, length: shared.length) }
          continue
        }
        promise.pages += pages
        batch.append(part)
        tokens += cost
        waiting.removeLast()
      }
      computePrefixes(batch, sequences, beyond: shared.length)
      try compute(batch, sequences, &promise, body)
    }
  }

  /// A group of the batch, and the cache that its sequences share (nil when they share nothing).
  private struct Part {
    let group: SharedPrefix
    let prefix: CachedSequence?
  }

  /// With room for the prefix, which is still to be computed; nil when the pool cannot promise it.
  private func part(_ group: SharedPrefix, _ shared: SharedCache) -> Part? {
    if group.length == shared.length { return Part(group: group, prefix: shared.cache) }
    return CachedSequence(pool, positions: group.length, sharing: shared.cache, first: shared.length).map {
      Part(group: group, prefix: $0)
    }
  }

  private func computePrefixes(_ batch: [Part], _ sequences: [[Int32]], beyond shared: Int) {
    var prefixes = TokenBatch()
    for part in batch where part.group.length > shared {
      guard let cache = part.prefix else { preconditionFailure("a shared prefix has no cache") }
      _ = prefixes.append(sequences[part.group.items.lowerBound][shared..<part.group.length], to: cache)
    }
    decoder.forward(prefixes, pool, tokensAtOnce: tokenBudget)
  }

  /// Pages that a sequence takes beyond the `shared` positions of its prefix.
  private static func pages(_ sequence: [Int32], sharing shared: Int) -> Int {
    PagePool.pageCount(sequence.count) - shared / PagePool.pageLength
  }

  private func compute(
    _ batch: [Part], _ sequences: [[Int32]], _ promise: inout Promise,
    _ body: (TokenBatch, [Member], inout Promise) throws -> Void
  ) throws {
    var tokens = TokenBatch()
    var members: [Member] = []
    for part in batch {
      for index in part.group.items {
        let sequence = sequences[index]
        let cache = promise.fork(
          part.prefix, at: part.group.length, positions: sequence.count,
          pages: Self.pages(sequence, sharing: part.group.length))
        let rows = tokens.append(sequence[part.group.length...], to: cache)
        members.append(Member(index: index, cache: cache, rows: rows))
      }
    }
    try body(tokens, members, &promise)
  }
}
