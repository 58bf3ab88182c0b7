// What a node that is about to run finds in its way: another run that computes it, and inputs whose bytes were evicted.

import JSON
import System

extension Scheduler {
  /// - Throws: `RunError` (8) when it has waited for as long as it may.
  func waitForLock(_ index: Int, holder: String) throws {
    let now = monotonicSeconds()
    guard let start = lockWaits[index] else {
      lockWaits[index] = now
      return report(.waitingForLock(index, holder: holder))
    }
    guard let limit = options.lockWaitSeconds, now - start >= limit else { return }
    throw RunError(
      .locked,
      "`\(plan.nodes[index].address)` is still being computed by \(holder) after \(duration(limit)); run again later, or with a longer `--wait`"
    )
  }

  /// Of two nodes with one key, the second finds the first one's result.
  func reportWait(_ index: Int, forSame other: PlanNode) {
    guard lockWaits[index] == nil else { return }
    lockWaits[index] = monotonicSeconds()
    report(.waitingForLock(index, holder: "this run at `\(other.address)`, which has the same key"))
  }

  /// Whether something it reads is being run again.
  func isWaitingForBytes(_ index: Int) -> Bool {
    !recomputed.isEmpty && outputsRead(by: plan.nodes[index]).contains { recomputed.contains($0.node) }
  }

  func hasBytes(_ record: NodeRecord) throws -> Bool {
    for output in record.outputs where try resolution.store.presence(of: output) != .present { return false }
    return true
  }

  private func outputsRead(by node: PlanNode) -> [(node: Int, output: StoredOutput)] {
    node.inputs.compactMap { input in
      guard case .node(let index, let port) = input.source else { return nil }
      return resolution.records[index]?.output(port).map { (index, $0) }
    }
  }

  func objectsRead(by node: PlanNode) throws -> [Digest] {
    let models = node.inputs.compactMap { input in
      if case .model(let name) = input.source { resolution.models[UTF8Key(name)]?.output } else { nil }
    }
    return try (outputsRead(by: node).map(\.output) + models).flatMap {
      try resolution.store.objects(of: $0).map(\.digest)
    }
  }

  /// Nodes upstream whose bytes it needs and that are evicted, or were damaged since they were found whole.
  func evictedUpstream(of node: PlanNode) throws -> [Int] {
    var found: [Int] = []
    for (index, output) in outputsRead(by: node) where !found.contains(index) {
      if try resolution.store.presence(of: output) != .present { found.append(index) }
    }
    return found
  }

  /// A finished node is run again for its bytes. What it needs itself is seen when it is about to start.
  func restoreBytes(of index: Int, for user: String) throws {
    guard resolution.records[index] != nil, recomputed.insert(index).inserted else { return }
    let node = plan.nodes[index]
    totals.cached -= 1
    try fetchInputs(of: [node])
    enqueue(
      ReadyNode(
        index: index, key: try resolution.key(of: node),
        reasons: ["its bytes were evicted and \(user) needs them"]))
  }

  /// Keys that were made of the earlier bytes are not those of these.
  func reconsider(dependentsOf index: Int, given record: NodeRecord) {
    guard let before = resolution.records[index], before.outputs != record.outputs else { return }
    for waiting in ready
    where dependents[index].contains(waiting.index) && !recomputed.contains(waiting.index) {
      ready.removeAll { $0.index == waiting.index }
      undecided.append(waiting.index)
    }
  }

  /// The bytes will not come: what waits for them will not run, nor what needs that.
  func blockThoseWaiting(forBytesOf index: Int) {
    for waiting in ready
    where outputsRead(by: plan.nodes[waiting.index]).contains(where: { $0.node == index }) {
      ready.removeAll { $0.index == waiting.index }
      lost.insert(waiting.index)
      totals.blocked += 1
      report(.nodeBlocked(waiting.index, by: index))
      if recomputed.contains(waiting.index) {
        blockThoseWaiting(forBytesOf: waiting.index)
      } else {
        block(dependentsOf: waiting.index, because: index)
      }
    }
  }
}
