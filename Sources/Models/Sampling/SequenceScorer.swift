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
    let forward = SharedForward(decoder: decoder, pool: pool, tokenBudget: tokenBudget)
    let tail = { (index: Int) in
      items[index].continuations.reduce(into: SharedForward.Tail()) { tail, continuation in
        tail.tokens += continuation.count
        tail.pages += Self.forkPages(items[index], continuation)
      }
    }
    try forward.run(items.map(\.context), tail: tail, checkpoint: checkpoint) { contexts, members, promise in
      try score(contexts, members, items, &promise, emit)
    }
  }

  /// Pages that a continuation takes beyond those it shares with its context.
  private static func forkPages(_ item: ScoringItem, _ continuation: [Int32]) -> Int {
    guard continuation.count > 1 else { return 0 }
    return PagePool.pageCount(item.context.count + continuation.count - 1) - item.context.count
      / PagePool.pageLength
  }

  /// One pass over the contexts, one over the continuations' tokens but their last.
  private func score(
    _ contexts: TokenBatch, _ members: [SharedForward.Member], _ items: [ScoringItem],
    _ promise: inout SharedForward.Promise, _ emit: (Int, [[Float]]) throws -> Void
  ) throws {
    var results: [Int: [[Float]]] = [:]
    var targets: [Target] = []
    for member in members {
      let continuations = items[member.index].continuations
      results[member.index] = continuations.map { _ in [] }
      for (number, tokens) in continuations.enumerated() {
        targets.append(
          Target(row: member.rows.upperBound - 1, token: tokens[0], item: member.index, continuation: number))
      }
    }
    read(contexts, targets, into: &results)

    var tails = TokenBatch()
    targets = []
    for member in members {
      let item = items[member.index]
      for (continuation, tokens) in item.continuations.enumerated() where tokens.count > 1 {
        let length = item.context.count
        let fork = promise.fork(
          member.cache, at: length, positions: length + tokens.count - 1,
          pages: Self.forkPages(item, tokens))
        for (row, token) in zip(tails.append(tokens.dropLast(), to: fork), tokens.dropFirst()) {
          targets.append(Target(row: row, token: token, item: member.index, continuation: continuation))
        }
      }
    }
    if !targets.isEmpty { read(tails, targets, into: &results) }
    for member in members {
      let scores = results[member.index] ?? []
      guard scores.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
        throw LogitsNotFinite(index: member.index)
      }
      try emit(member.index, scores)
    }
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
