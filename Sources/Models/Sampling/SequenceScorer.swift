// Log-probabilities of given continuations: prefill-only work, sharing what sequences have in common.

/// A context and the continuations whose tokens are to be scored after it.
package struct ScoringItem: Sendable {
  /// At least one token.
  package let context: [Int32]
  /// Each at least one token.
  package let continuations: [[Int32]]
  package init(context: [Int32], continuations: [[Int32]]) {
    precondition(
      !context.isEmpty && continuations.allSatisfy { !$0.isEmpty }, "nothing to score may be empty")
    self.context = context
    self.continuations = continuations
  }
}

/// Scores continuations. The result of an item depends on the model and the item alone.
package final class SequenceScorer {
  private let decoder: Decoder
  private let pool: PagePool
  private let tokenBudget: Int

  private static let logitRows = 64

  /// - Parameter tokenBudget: tokens in one forward pass; changes no result.
  package init(_ decoder: Decoder, memory: Int = 1 << 30, tokenBudget: Int = 1024) {
    precondition(decoder.configuration.head == .language, "only a language model gives tokens probabilities")
    self.decoder = decoder
    self.tokenBudget = max(1, tokenBudget)
    pool = decoder.pagePool(memory: memory)
  }

  /// Calls `emit` with, for each continuation of item i, the log-probability of each of its tokens.
  /// - Throws: `CacheExhausted`, `LogitsNotFinite`, and what `emit` or `checkpoint` throws.
  package func score(
    _ items: [ScoringItem], checkpoint: () throws -> Void = {}, emit: (Int, [[Float]]) throws -> Void
  ) throws {
    var shared = SharedCache(of: items.map(\.context), decoder, pool, tokensAtOnce: tokenBudget)
    // What is still to compute, the next group last.
    var waiting = Array(
      sharedPrefixes(of: items.map(\.context), beyond: shared.length, tokenBudget: tokenBudget).reversed())
    while !waiting.isEmpty {
      try checkpoint()
      var batch: [Part] = []
      var tokens = 0
      // Pages for the contexts and continuations of the batch's items, which are computed after all its prefixes.
      var promised = 0
      defer { pool.release(reserved: promised) }
      while let group = waiting.last {
        let cost = group.items.reduce(group.length - shared.length) {
          $0 + items[$1].context.count - group.length
            + items[$1].continuations.reduce(0) { $0 + $1.count }
        }
        if !batch.isEmpty, tokens + cost > tokenBudget { break }
        let pages = group.items.reduce(0) { $0 + Self.pages(items[$1], sharing: group.length) }
        guard let part = part(group, shared), pool.reserve(pages) else {
          if !batch.isEmpty { break }
          if group.items.count == 1 {
            guard shared.cache != nil else { throw exhausted(items[group.items.lowerBound], pages) }
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
        promised += pages
        batch.append(part)
        tokens += cost
        waiting.removeLast()
      }
      computePrefixes(batch, items, beyond: shared.length)
      try score(batch, items, promised: &promised, emit)
    }
  }

  /// A group of the batch, and the cache that its contexts share (nil when they share nothing).
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

  private func computePrefixes(_ batch: [Part], _ items: [ScoringItem], beyond shared: Int) {
    var prefixes = TokenBatch()
    for part in batch where part.group.length > shared {
      guard let cache = part.prefix else { preconditionFailure("a shared prefix has no cache") }
      let context = items[part.group.items.lowerBound].context
      _ = prefixes.append(context[shared..<part.group.length], to: cache)
    }
    decoder.forward(prefixes, pool, tokensAtOnce: tokenBudget)
  }

  /// Pages that an item's context and continuations take beyond the `shared` positions of its prefix.
  private static func pages(_ item: ScoringItem, sharing shared: Int) -> Int {
    item.continuations.reduce(contextPages(item, sharing: shared)) { $0 + forkPages(item, $1) }
  }

  private static func contextPages(_ item: ScoringItem, sharing shared: Int) -> Int {
    PagePool.pageCount(item.context.count) - shared / PagePool.pageLength
  }

  /// Pages that a continuation takes beyond those it shares with its context.
  private static func forkPages(_ item: ScoringItem, _ continuation: [Int32]) -> Int {
    guard continuation.count > 1 else { return 0 }
    return PagePool.pageCount(item.context.count + continuation.count - 1) - item.context.count
      / PagePool.pageLength
  }

  private func exhausted(_ item: ScoringItem, _ pages: Int) -> CacheExhausted {
    CacheExhausted(
      wantedBytes: pages * pool.pageBytes, capacityBytes: pool.capacity * pool.pageBytes)
  }

  /// One pass over the contexts, one over the continuations' tokens but their last.
  private func score(
    _ batch: [Part], _ items: [ScoringItem], promised: inout Int, _ emit: (Int, [[Float]]) throws -> Void
  ) throws {
    var contexts = TokenBatch()
    var targets: [Target] = []
    var caches: [(index: Int, cache: CachedSequence)] = []
    for part in batch {
      for index in part.group.items {
        let context = items[index].context
        let cache = fork(
          part.prefix, at: part.group.length, positions: context.count,
          pages: Self.contextPages(items[index], sharing: part.group.length), promised: &promised)
        caches.append((index, cache))
        let rows = contexts.append(context[part.group.length...], to: cache)
        for continuation in items[index].continuations.indices {
          targets.append(
            Target(
              row: rows.upperBound - 1, token: items[index].continuations[continuation][0],
              item: index, continuation: continuation))
        }
      }
    }
    var results: [Int: [[Float]]] = [:]
    for (index, _) in caches { results[index] = items[index].continuations.map { _ in [] } }
    read(contexts, targets, into: &results)

    var tails = TokenBatch()
    targets = []
    for (index, cache) in caches {
      for (continuation, tokens) in items[index].continuations.enumerated() where tokens.count > 1 {
        let length = items[index].context.count
        let rows = tails.append(
          tokens.dropLast(),
          to: fork(
            cache, at: length, positions: length + tokens.count - 1,
            pages: Self.forkPages(items[index], tokens), promised: &promised))
        for (row, token) in zip(rows, tokens.dropFirst()) {
          targets.append(Target(row: row, token: token, item: index, continuation: continuation))
        }
      }
    }
    if !targets.isEmpty { read(tails, targets, into: &results) }
    for (index, _) in caches {
      let scores = results[index] ?? []
      guard scores.allSatisfy({ $0.allSatisfy(\.isFinite) }) else { throw LogitsNotFinite(index: index) }
      try emit(index, scores)
    }
  }

  /// A sequence that goes on from another's first positions, in pages that were promised.
  private func fork(
    _ cache: CachedSequence?, at length: Int, positions: Int, pages: Int, promised: inout Int
  ) -> CachedSequence {
    pool.release(reserved: pages)
    promised -= pages
    guard let fork = CachedSequence(pool, positions: positions, sharing: cache, first: length) else {
      preconditionFailure("\(pages) pages were promised and are not there")
    }
    return fork
  }

  /// A token whose log-probability is read from a row of the forward pass.
  private struct Target {
    let row: Int
    let token: Int32
    let item: Int
    let continuation: Int
  }

  private func read(_ batch: TokenBatch, _ targets: [Target], into results: inout [Int: [[Float]]]) {
    var rows: [Int32] = []
    for target in targets where rows.last != Int32(target.row) { rows.append(Int32(target.row)) }
    var next = 0
    decoder.forward(batch, pool, rows: rows, tokensAtOnce: tokenBudget) { places, x in
      for start in stride(from: 0, to: places.count, by: Self.logitRows) {
        let chunk = start..<min(start + Self.logitRows, places.count)
        let logits = decoder.logits(x.slice(chunk))
        let normalizers = decoder.backend.logSumExp(logits)
        let first = next
        var elements: [Int] = []
        for (position, place) in chunk.enumerated() {
          while next < targets.count, targets[next].row == Int(rows[places.lowerBound + place]) {
            elements.append(position * logits.columns + Int(targets[next].token))
            next += 1
          }
        }
        let found = decoder.backend.elements(of: logits, at: elements)
        for (target, (element, logit)) in zip(targets[first..<next], zip(elements, found)) {
          results[target.item]?[target.continuation].append(logit - normalizers[element / logits.columns])
        }
      }
    }
  }
}
