// One node while it runs: its lock, its workers (one, or one a shard and then one that assembles), its log.

import Glibc
import JSON
import System

final class RunningNode {
  let node: PlanNode
  /// As it was when this attempt began.
  let ready: ReadyNode
  /// Taken from the slots.
  let grant: Grant
  let startTime = monotonicSeconds()
  let log: StageLog
  /// The files that options name, as they were when the key was made.
  let fileDigests: [(path: String, digest: Digest)]
  private(set) var workers: [RunningWorker] = []
  private(set) var measures: [(name: String, value: Double)] = []

  /// A worker ended and others of its process group did not.
  private(set) var hasLeftProcesses = false

  private let declaration: StageDeclaration
  private let inputs: [NodeInput]
  private let lock: NodeLock
  private let store: Store
  private let totalThreads: Int
  private let scratch: String

  private var waitingShards: [Shard] = []
  private var shardProgress: [Int: NodeProgress] = [:]
  private var isAssembling = false
  /// What the worker said last, so that it is heard even when its end came with it.
  private var endedProgress: NodeProgress?
  private var problem: RunningWorker.Outcome?
  private var killTime: Double?
  private var isStopRequested = false

  init(
    _ ready: ReadyNode, node: PlanNode, declaration: StageDeclaration, inputs: [NodeInput],
    lock: NodeLock, store: Store, grant: Grant, totalThreads: Int, options: ExecutionOptions,
    fileDigests: [Digest]
  ) throws {
    self.ready = ready
    self.node = node
    self.declaration = declaration
    self.inputs = inputs
    self.lock = lock
    self.store = store
    self.grant = grant
    self.totalThreads = totalThreads
    self.fileDigests = zip(node.files, fileDigests).map { ($0.path, $1) }
    // Named by the key, whose lock we hold: what a killed run left there is ours to remove.
    scratch = "\(store.root)/tmp/\(ready.key.hex)"
    var name = String.UnicodeScalarView()
    for scalar in node.address.unicodeScalars { name.append(scalar == "/" || scalar == "\0" ? "_" : scalar) }
    log = try StageLog(path: "\(options.logDirectory)/\(String(name)).log")
  }

  /// Starts the first workers.
  func startWorkers() throws {
    try File.removeTree(scratch)
    try File.makeDirectory(scratch)
    let shards = node.execution.shards
    if shards > 1 {
      waitingShards = (0..<shards).map { Shard(index: $0, count: shards) }
      try startShards()
    } else {
      isAssembling = true
      try start(shard: nil, threads: max(1, grant.threads))
    }
  }

  private func startShards() throws {
    // A stage that computes keeps to what it took; the others share nothing that could run out.
    let atOnce = min(node.execution.shards, grant.threads > 0 ? grant.threads : totalThreads)
    while workers.count < atOnce, !waitingShards.isEmpty {
      try start(shard: waitingShards.removeFirst(), threads: max(1, grant.threads / atOnce))
    }
  }

  private func start(shard: Shard?, threads: Int) throws {
    let name = shard.map { "shard-\($0.index)" } ?? "whole"
    let task = WorkerTask(
      address: node.address, stage: node.stage, key: ready.key.hex, options: node.options, inputs: inputs,
      seed: node.seed,
      numericMode: node.numericMode, threads: threads, engine: node.execution.engine, shard: shard,
      store: store.root,
      scratch: "\(scratch)/\(name)/scratch", output: "\(scratch)/\(name)/output",
      checkpointDirectory: store.checkpointDirectory(ready.key.hex),
      checkpointSeconds: node.execution.checkpointSeconds,
      journalDirectory: store.journalDirectory(ready.key.hex))
    let path = "\(scratch)/\(name).json"
    let file = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC)
    defer { file.closeQuietly() }
    try file.writeAll(task.json.text(.pretty) + "\n")
    workers.append(
      try RunningWorker(
        taskPath: path, shard: shard, lock: lock,
        environment: declaration.environment, secrets: node.environment,
        gpus: node.execution.resources.gpus == nil ? nil : grant.gpus))
  }

  /// Of all shards together; those that have not begun are taken to be like the others.
  var progress: NodeProgress? {
    let current = workers.compactMap(\.progress)
    guard node.execution.shards > 1, !isAssembling else { return current.first ?? endedProgress }
    let parts = shardProgress.sorted { $0.key < $1.key }.map(\.value) + current
    guard let first = parts.first else { return nil }
    let (total, overflows) = parts.reduce(0) { $0 &+ $1.total }.multipliedReportingOverflow(
      by: node.execution.shards)
    return NodeProgress(
      done: parts.reduce(0) { $0 &+ $1.done }, total: overflows ? first.total : total / parts.count,
      unit: first.unit,
      message: current.compactMap(\.message).last)
  }

  func requestStop() {
    isStopRequested = true
    waitingShards = []
    for worker in workers { worker.process.send(SIGTERM) }
  }

  func kill() {
    isStopRequested = true
    waitingShards = []
    for worker in workers { worker.process.sendToGroup(SIGKILL) }
  }

  /// Takes what the workers said; gives the outcome once there is one and every worker has ended.
  func advance(now: Double) throws -> RunningWorker.Outcome? {
    if let limit = node.execution.timeoutSeconds, now - startTime > limit, problem == nil, !isStopRequested {
      problem = .failed(
        NodeFailure(.stageFailed, "it ran longer than its timeout of \(duration(limit))", showsLog: true))
      for worker in workers { worker.process.send(SIGTERM) }
      killTime = now + 10
    }
    if let time = killTime, now > time { for worker in workers { worker.process.sendToGroup(SIGKILL) } }
    for worker in workers {
      try worker.drain(onLog: log.append)
      guard try worker.hasEnded(onLog: log.append) else { continue }
      workers.removeAll { $0 === worker }
      take(measuresOf: worker)
      if worker.shard == nil { endedProgress = worker.progress }
      // What we stopped had no time to end what it started.
      if worker.hasLeftProcesses, !isStopRequested, problem == nil { hasLeftProcesses = true }
      switch worker.outcome {
      case .done(let outputs) where problem == nil:
        if worker.shard == nil { return .done(outputs) }
        if let shard = worker.shard, let progress = worker.progress { shardProgress[shard.index] = progress }
      case .done: break
      case .stopped: if problem == nil, isStopRequested { problem = .stopped }
      case .failed where isStopRequested && problem == nil && worker.verdict == nil: problem = .stopped
      case .failed:
        if problem == nil {
          problem = worker.outcome
          for other in workers { other.process.send(SIGTERM) }
          killTime = now + 10
        }
      }
    }
    if let problem { return workers.isEmpty ? problem : nil }
    if isStopRequested { return workers.isEmpty ? .stopped : nil }
    try startShards()
    if workers.isEmpty, !isAssembling {
      isAssembling = true
      try start(shard: nil, threads: max(1, grant.threads))
    }
    return nil
  }

  /// Peaks are the largest of any worker's; all else adds up over shards.
  private func take(measuresOf worker: RunningWorker) {
    for (name, value) in worker.measures {
      if let index = measures.firstIndex(where: { $0.name == name }) {
        let isPeak = name.utf8.starts(with: "peak_".utf8)
        measures[index].value = isPeak ? max(measures[index].value, value) : measures[index].value + value
      } else {
        measures.append((name, value))
      }
    }
  }

  /// Frees the lock; the scratch folder goes, the journal and the checkpoints stay.
  func close() {
    log.close()
    // What cannot be removed now is removed by whoever next computes this key.
    try? File.removeTree(scratch)
    lock.release()
  }
}
