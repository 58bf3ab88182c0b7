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
    self.decoder = decoder
    self.tokenBudget = max(1, tokenBudget)
    pool = PagePool(decoder.configuration, mode: decoder.mode, memory: memory)
  }

  /// Calls `emit` with, for each continuation of item i, the log-probability of each of its tokens.
  package func score(
    _ items: [ScoringItem], checkpoint: () throws -> Void = {}, emit: (Int, [[Float]]) throws -> Void
  ) throws {
    let (prefix, prefixLength) = try commonPrefix(items)
    var next = 0
    while next < items.count {
      try checkpoint()
      var batch: [(index: Int, cache: CachedSequence)] = []
      var tokens = 0
      // Pages for the continuations of the batch's items, which are computed after all its contexts.
      var promised = 0
      defer { pool.release(reserved: promised) }
      while next < items.count {
        let item = items[next]
        let cost = item.context.count - prefixLength + item.continuations.reduce(0) { $0 + $1.count }
        if !batch.isEmpty, tokens + cost > tokenBudget { break }
        let forkPages = item.continuations.reduce(0) { $0 + Self.forkPages(item, $1) }
        guard
          let cache = CachedSequence(
            pool, positions: item.context.count, sharing: prefix, first: prefixLength),
          pool.reserve(forkPages)
        else {
          if batch.isEmpty { throw exhausted(item, forkPages) }
          break
        }
        promised += forkPages
        batch.append((next, cache))
        tokens += cost
        next += 1
      }
      try score(batch, items, prefixLength, promised: &promised, emit)
    }
  }

  /// Pages that a continuation takes beyond those it shares with its context.
  private static func forkPages(_ item: ScoringItem, _ continuation: [Int32]) -> Int {
    guard continuation.count > 1 else { return 0 }
    return PagePool.pageCount(item.context.count + continuation.count - 1) - item.context.count
      / PagePool.pageLength
  }

  private func exhausted(_ item: ScoringItem, _ forkPages: Int) -> CacheExhausted {
    CacheExhausted(
      wantedBytes: (PagePool.pageCount(item.context.count) + forkPages) * pool.pageBytes,
      capacityBytes: pool.capacity * pool.pageBytes)
  }

  /// What every item's context starts with, computed once. A context keeps at least its last token.
  private func commonPrefix(_ items: [ScoringItem]) throws -> (CachedSequence?, Int) {
    guard items.count > 1, let first = items.first?.context else { return (nil, 0) }
    var length = first.count
    for item in items {
      length = min(length, item.context.count - 1)
      for index in 0..<length where item.context[index] != first[index] {
        length = index
        break
      }
    }
    guard length > 0, let cache = CachedSequence(pool, positions: length) else { return (nil, 0) }
    var batch = TokenBatch()
    _ = batch.append(first[0..<length], to: cache)
    _ = decoder.hidden(tokens: batch.tokens, positions: batch.positions, view: batch.view(pool))
    return (cache, length)
  }

  /// One pass over the contexts, one over the continuations' tokens but their last.
  private func score(
    _ batch: [(index: Int, cache: CachedSequence)], _ items: [ScoringItem], _ prefixLength: Int,
    promised: inout Int, _ emit: (Int, [[Float]]) throws -> Void
  ) throws {
    var contexts = TokenBatch()
    var targets: [Target] = []
    for (index, cache) in batch {
      let rows = contexts.append(items[index].context[prefixLength...], to: cache)
      for continuation in items[index].continuations.indices {
        targets.append(
          Target(
            row: rows.upperBound - 1, token: items[index].continuations[continuation][0],
            item: index, continuation: continuation))
      }
    }
    var results: [Int: [[Float]]] = [:]
    for (index, _) in batch { results[index] = items[index].continuations.map { _ in [] } }
    read(contexts, targets, into: &results)

    var tails = TokenBatch()
    targets = []
    for (index, cache) in batch {
      for (continuation, tokens) in items[index].continuations.enumerated() where tokens.count > 1 {
        let length = items[index].context.count
        let pages = Self.forkPages(items[index], tokens)
        pool.release(reserved: pages)
        promised -= pages
        guard
          let fork = CachedSequence(
            pool, positions: length + tokens.count - 1, sharing: cache, first: length)
        else { preconditionFailure("\(pages) pages were promised and are not there") }
        let rows = tails.append(tokens.dropLast(), to: fork)
        for (row, token) in zip(rows, tokens.dropFirst()) {
          targets.append(Target(row: row, token: token, item: index, continuation: continuation))
        }
      }
    }
    if !targets.isEmpty { read(tails, targets, into: &results) }
    for (index, _) in batch { try emit(index, results[index] ?? []) }
  }

  /// A token whose log-probability is read from a row of the forward pass.
  private struct Target {
    let row: Int
    let token: Int32
    let item: Int
    let continuation: Int
  }

  private func read(_ batch: TokenBatch, _ targets: [Target], into results: inout [Int: [[Float]]]) {
    let x = decoder.hidden(tokens: batch.tokens, positions: batch.positions, view: batch.view(pool))
    var rows: [Int32] = []
    for target in targets where rows.last != Int32(target.row) { rows.append(Int32(target.row)) }
    var next = 0
    for start in stride(from: 0, to: rows.count, by: Self.logitRows) {
      let chunk = Array(rows[start..<min(start + Self.logitRows, rows.count)])
      let logits = decoder.logits(decoder.rows(x, at: chunk, named: "scored"))
      let normalizers = decoder.backend.logSumExp(logits)
      for (position, row) in chunk.enumerated() {
        while next < targets.count, targets[next].row == Int(row) {
          let target = targets[next]
          let logit = logits.floats[position * logits.columns + Int(target.token)]
          results[target.item]?[target.continuation].append(logit - normalizers[position])
          next += 1
        }
      }
    }
  }
}
