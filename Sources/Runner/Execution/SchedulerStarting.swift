// Starting: a node that must run gets its room, its lock, its inputs and its workers.

import Glibc
import JSON
import System

extension Scheduler {
  /// A node that was passed over so often for want of room is not passed over again by one that takes any.
  private static let patience = 8

  func startWhatCan() throws {
    try decide()
    var position = 0
    var mayTakeRoom = true
    while position < ready.count, running.count < options.jobs {
      switch try attempt(at: position, mayTakeRoom: &mayTakeRoom) {
      case .waits: position += 1
      case .started: break
      case .reordered: position = 0
      }
    }
  }

  /// What became of a node that was ready.
  private enum Attempt {
    /// It stays where it is.
    case waits
    /// It is ready no more.
    case started
    /// Other nodes became ready, perhaps before it.
    case reordered
  }

  private func attempt(at position: Int, mayTakeRoom: inout Bool) throws -> Attempt {
    let waiting = ready[position]
    if waiting.retryTime.map({ $0 > monotonicSeconds() }) ?? isWaitingForBytes(waiting.index) {
      return .waits
    }
    if let same = running.first(where: { $0.ready.key.hex == waiting.key.hex }) {
      reportWait(waiting.index, forSame: same.node)
      return .waits
    }
    let node = plan.nodes[waiting.index]
    let demand = Demand(
      of: node, try resolution.declaration(of: node), threads: slots.threads, machine: options.machine,
      memoryKills: waiting.memoryKills)
    guard mayTakeRoom || demand == Demand.nothing, let grant = slots.acquire(demand) else {
      if waiting.timesPassedOver >= Scheduler.patience { mayTakeRoom = false }
      return .waits
    }
    var isStarted = false
    defer { if !isStarted { slots.release(grant) } }
    switch try NodeLock.attempt(waiting.key.hex, in: resolution.store, holder: options.holder) {
    case .busy(let holder):
      // Its workers hold the lock, and the run that started them may be dead.
      guard let record = try jobRecord(of: waiting), !record.entries.isEmpty,
        try start(waiting, nil, record, grant)
      else {
        try waitForLock(waiting.index, holder: holder)
        return .waits
      }
      isStarted = true
      ready.remove(at: position)
      return .started
    case .held(let lock):
      if try finishWithout(running: waiting, lock) {
        ready.remove(at: position)
        try decide()
        return .reordered
      }
      let evicted = try lock.pin(try objectsRead(by: node), in: resolution.store) {
        try evictedUpstream(of: node)
      }
      guard evicted.isEmpty else {
        lock.release()
        for upstream in evicted { try restoreBytes(of: upstream, for: node.address) }
        return .reordered
      }
      isStarted = true
      ready.remove(at: position)
      if demand != .nothing {
        for earlier in ready.indices.prefix(position) { ready[earlier].timesPassedOver += 1 }
      }
      _ = try start(waiting, lock, try jobRecord(of: waiting, made: true), grant)
      return .started
    }
  }

  /// Another run may have finished the node between our look and our lock.
  private func finishWithout(running waiting: ReadyNode, _ lock: NodeLock) throws -> Bool {
    guard !options.selection.forced.contains(waiting.index),
      let record = try resolution.store.record(waiting.key.hex),
      try !recomputed.contains(waiting.index) || hasBytes(record)
    else { return false }
    lock.release()
    resolution.finish(waiting.index, record)
    totals.cached += 1
    report(.nodeCached(waiting.index, key: record.key))
    if recomputed.remove(waiting.index) == nil { release(dependentsOf: waiting.index) }
    return true
  }

  /// Nil where the executor's jobs end with the run, and while another run follows them.
  private func jobRecord(of waiting: ReadyNode, made: Bool = false) throws -> JobRecord? {
    guard type(of: executor).outlivesRun else { return nil }
    return try JobRecord.open(
      waiting.key.hex, in: resolution.store, executor: type(of: executor).name,
      shards: plan.nodes[waiting.index].execution.shards, made: made)
  }

  /// - Parameter lock: nil to adopt what the record names, while its workers hold the lock.
  /// - Returns: false where there was nothing to adopt and no lock to start with.
  private func start(_ waiting: ReadyNode, _ lock: NodeLock?, _ record: JobRecord?, _ grant: Grant) throws
    -> Bool
  {
    var node = plan.nodes[waiting.index]
    node.options = node.options.replacing(dataSetsOf: node.files) { dataPaths[$1] }
    var begun = waiting
    begun.attempts += 1
    begun.retryTime = nil
    let run: RunningNode
    do {
      run = try RunningNode(
        begun, node: node, declaration: try resolution.declaration(of: node), inputs: try inputs(of: node),
        lock: lock, record: record, executor: executor, store: resolution.store, grant: grant,
        totalThreads: slots.threads, options: options,
        fileDigests: try resolution.fileDigests(of: node))
    } catch {
      lock?.release()
      throw error
    }
    let isAdopted: Bool
    do { isAdopted = try run.startJobs() } catch {
      // Ended with all that runs.
      running.append(run)
      throw error
    }
    guard isAdopted || lock != nil else {
      run.leave()
      return false
    }
    running.append(run)
    let again =
      "attempt \(begun.attempts)"
      + (begun.memoryKills > 0 ? ", with \(ByteCount(grant.memoryBytes)) of memory reserved" : "")
    report(
      .nodeStarted(
        node.index, key: begun.key.hex, attempt: begun.attempts,
        reasons: isAdopted ? ["adopted from a run that died"] : begun.attempts == 1 ? begun.reasons : [again])
    )
    return true
  }

  private func inputs(of node: PlanNode) throws -> [NodeInput] {
    try resolution.workerInputs(of: node) { modelPaths[UTF8Key($0)] }
  }
}

extension Resolution {
  /// Everything upstream must be finished; `modelPath` gives where a model lies.
  func workerInputs(of node: PlanNode, modelPath: (String) -> String?) throws -> [NodeInput] {
    let digests = try bound(node).map { ($0.port, try modelDigest(of: $0)) }
    return try bound(node).map { input in
      switch input.source {
      case .node(let index, let port):
        let output = try output(port, of: index, for: node)
        return NodeInput(
          port: input.port, type: input.type, path: try store.readingPath(output), label: input.label,
          columns: output.columns, name: "\(plan.nodes[index].address).\(port)")
      case .model(let name):
        guard let path = modelPath(name) else {
          throw RunError(.bug, "the model `\(name)` of `\(node.address)` was not fetched")
        }
        return NodeInput(
          port: input.port, type: input.type, path: path, label: input.label,
          server: models[UTF8Key(name)]?.model.server?.serving(digests.first { $0.0 == "model" }?.1))
      }
    }
  }

  /// Nil of what is no model.
  private func modelDigest(of input: PlanInput) throws -> Digest? {
    guard input.type == .model else { return nil }
    switch input.source {
    case .node(let index, let port): return records[index]?.output(port)?.digest
    case .model(let name): return models[UTF8Key(name)]?.digest
    }
  }
}
