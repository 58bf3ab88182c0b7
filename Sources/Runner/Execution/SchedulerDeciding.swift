// Deciding: which nodes are finished already, which must run, and what has to be true before any does.

import Glibc
import JSON
import System

/// A node that must run.
struct ReadyNode {
  let index: Int
  let key: ContentKey
  let reasons: [String]
  /// Attempts that were begun.
  var attempts = 0
  /// Attempts that the kernel, for all we know, killed for want of memory.
  var memoryKills = 0
  /// On the monotonic clock; not before it.
  var retryTime: Double?
  /// How often a later node was started while this one waited for room.
  var timesPassedOver = 0
}

extension Scheduler {
  /// Looks at every node that can be decided, then at what all those that may run need: room, variables, models.
  func decideAtStart() throws {
    undecided = plan.nodes.indices.filter {
      unmet[$0] == 0 && (options.selection.contains($0) || options.selection.isExact)
    }
    try decide()
    if let wanted = options.bytesOf {
      ready = []
      for index in wanted { try restoreBytes(of: index, for: "`\(Program.name) export`") }
      return
    }
    let unfinished = plan.nodes.filter {
      resolution.records[$0.index] == nil && !resolution.skipped.contains($0.index)
        && options.selection.contains($0.index)
    }
    try checkNeedsAreFinished(unfinished)
    let lacks = options.machine.lacks(of: unfinished)
    guard lacks.isEmpty else {
      throw RunError(
        .machine, lacks.joined(separator: "\n       ") + "\n       lower `resources`, or use a larger machine"
      )
    }
    try checkEnvironment(unfinished)
    try fetchInputs(of: unfinished)
  }

  /// Decides what can be decided, which may let more be decided.
  func decide() throws {
    while !undecided.isEmpty {
      let batch = undecided
      undecided = []
      for index in batch {
        let decision = try resolution.decide(index)
        // What is not selected is looked at only for its results.
        guard options.selection.contains(index) else {
          switch decision {
          case .cached, .skipped: release(dependentsOf: index)
          case .willRun, .waits: break
          }
          continue
        }
        switch decision {
        case .cached(let record):
          totals.cached += 1
          report(.nodeCached(index, key: record.key))
          release(dependentsOf: index)
        case .skipped:
          totals.skipped += 1
          report(.nodeSkipped(index))
          release(dependentsOf: index)
        case .willRun(let key, let reasons):
          enqueue(ReadyNode(index: index, key: key, reasons: reasons.map(\.text)))
        case .waits(let upstream):
          preconditionFailure("node \(index) was let go while \(upstream) were not finished")
        }
      }
    }
    for end in resolution.takeEndings() {
      report(.loopEnded(loop: end.loop, iteration: end.iteration, words: end.words))
    }
  }

  /// In plan order.
  func enqueue(_ node: ReadyNode) {
    ready.insert(node, at: ready.firstIndex { $0.index > node.index } ?? ready.endIndex)
  }

  /// The node is finished: what waited for nothing else can be decided.
  func release(dependentsOf index: Int) {
    for dependent in dependents[index] {
      unmet[dependent] -= 1
      if unmet[dependent] == 0 { undecided.append(dependent) }
    }
  }

  /// Everything that needs the node, directly or not, will not run.
  func block(dependentsOf index: Int, because failed: Int) {
    var open = dependents[index]
    while let next = open.popLast() {
      guard options.selection.contains(next), lost.insert(next).inserted else { continue }
      totals.blocked += 1
      report(.nodeBlocked(next, by: failed))
      open += dependents[next]
    }
  }

  private func checkNeedsAreFinished(_ unfinished: [PlanNode]) throws {
    for node in unfinished {
      for source in plan.needs(of: node.index)
      where !options.selection.contains(source) && resolution.records[source] == nil
        && !resolution.skipped.contains(source)
      {
        let address = plan.nodes[source].address
        throw RunError(
          .workFound,
          "`\(node.address)` needs `\(address)`, which is not finished and not selected; run with `--until \(node.address)` first"
        )
      }
    }
  }

  private func checkEnvironment(_ unfinished: [PlanNode]) throws {
    for node in unfinished {
      for name in try resolution.declaration(of: node).environment + node.environment
      where environmentValue(name) == nil {
        throw RunError(
          .experiment, "`\(node.address)` needs the environment variable `\(name)`, which is not set or empty"
        )
      }
    }
  }

  func fetchInputs(of unfinished: [PlanNode]) throws {
    for (set, digest) in unfinished.flatMap(\.files).flatMap(\.dataSets) where dataPaths[digest] == nil {
      let source = try DataSetSource.standard()
      dataPaths[digest] = try source.local(set, digest, store: resolution.store, signals: signals) {
        self.report(.note($0))
      }.paths
    }
    for input in unfinished.flatMap(\.inputs) {
      guard case .model(let name) = input.source, modelPaths[UTF8Key(name)] == nil,
        let resolved = resolution.models[UTF8Key(name)]
      else { continue }
      if let output = resolved.output {
        modelPaths[UTF8Key(name)] = try resolution.store.readingPath(output)
        continue
      }
      modelPaths[UTF8Key(name)] = try ModelSource.localPath(
        of: resolved.model, store: resolution.store, signals: signals
      ) {
        self.report(.note($0))
      }
    }
  }
}
