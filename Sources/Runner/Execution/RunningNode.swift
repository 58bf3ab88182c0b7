// One node while it runs: its lock, its jobs (one, or one a shard and then one that assembles), its log.

import Glibc
import HTTP
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
  let fileDigests: [Digest]
  private(set) var jobs: [RunningJob] = []
  private(set) var measures: [(name: String, value: Double)] = []

  /// A worker ended and others of its process group did not.
  private(set) var hasLeftProcesses = false

  private let declaration: StageDeclaration
  private let inputs: [NodeInput]
  /// Nil of jobs that were adopted while a worker of theirs still holds it.
  private var lock: NodeLock?
  private var record: JobRecord?
  private let executor: any Executor
  private let holder: LockHolder
  private let store: Store
  private let totalThreads: Int
  private let scratch: String

  private var waitingShards: [Shard] = []
  private var shardProgress: [Int: NodeProgress] = [:]
  private var isAssembling = false
  /// What the worker reported last, so that it counts even when its end came with it.
  private var endedProgress: NodeProgress?
  /// The end of the job that computed the whole.
  private var done: JobEnd?
  private var problem: JobEnd?
  private var killTime: Double?
  private var isStopRequested = false

  init(
    _ ready: ReadyNode, node: PlanNode, declaration: StageDeclaration, inputs: [NodeInput],
    lock: NodeLock?, record: JobRecord?, executor: any Executor, store: Store, grant: Grant,
    totalThreads: Int, options: ExecutionOptions,
    fileDigests: [Digest]
  ) throws {
    self.ready = ready
    self.node = node
    self.declaration = declaration
    self.inputs = inputs
    self.lock = lock
    self.record = record
    self.executor = executor
    holder = options.holder
    self.store = store
    self.grant = grant
    self.totalThreads = totalThreads
    self.fileDigests = fileDigests
    // Named by the key, whose lock we hold: what a killed run left there is ours to remove.
    scratch = "\(store.root)/tmp/\(ready.key.hex)"
    var name = String.UnicodeScalarView()
    for scalar in node.address.unicodeScalars { name.append(scalar == "/" || scalar == "\0" ? "_" : scalar) }
    log = try StageLog(path: "\(options.logDirectory)/\(String(name)).log")
  }

  struct RunningJob {
    let handle: JobHandle
    let shard: Shard?
    var report = JobReport()
  }

  var handles: [JobHandle] { jobs.map(\.handle) }

  /// Adopts the jobs that its record names, or starts the first ones.
  /// - Returns: whether any was adopted.
  func startJobs() throws -> Bool {
    let shards = node.execution.shards
    let parts = shards > 1 ? (0..<shards).map { Shard(index: $0, count: shards) } : []
    for entry in record?.entries ?? [] {
      let shard = entry.shard.flatMap { index in parts.first { $0.index == index } }
      guard try executor.adopt(entry.handle, job(taskPath(shard))) else { continue }
      jobs.append(RunningJob(handle: entry.handle, shard: shard))
    }
    let isAdopted = !jobs.isEmpty
    if !isAdopted {
      guard lock != nil else { return false }
      try File.removeTree(scratch)
      try File.makeDirectory(scratch)
    }
    isAssembling = parts.isEmpty || jobs.contains { $0.shard == nil }
    if !isAssembling {
      // Shards that ended before find all of their rows in the journal.
      waitingShards = parts.filter { part in !jobs.contains { $0.shard == part } }
      try startShards()
    } else if jobs.isEmpty {
      try start(shard: nil, threads: max(1, grant.threads))
    }
    return isAdopted
  }

  private func startShards() throws {
    // A job that is started holds the node's lock; beside adopted ones, whose workers hold it, none is.
    if lock == nil { guard try jobs.isEmpty && isLocked() else { return } }
    // A stage that computes keeps to what it took; the others share nothing that could run out.
    let atOnce = min(node.execution.shards, grant.threads > 0 ? grant.threads : totalThreads)
    while jobs.count < atOnce, !waitingShards.isEmpty {
      try start(shard: waitingShards.removeFirst(), threads: max(1, grant.threads / atOnce))
    }
  }

  private func folder(_ shard: Shard?) -> String {
    "\(scratch)/" + (shard.map { "shard-\($0.index)" } ?? "whole")
  }

  private func taskPath(_ shard: Shard?) -> String { "\(folder(shard)).json" }

  private func job(_ taskPath: String) -> Job {
    Job(
      taskPath: taskPath,
      environment: declaration.environment + (node.servers.isEmpty ? [] : NetworkEnvironment.variables),
      secrets: node.environment,
      gpus: node.execution.resources.gpus == nil ? nil : grant.gpus, lock: lock)
  }

  private func start(shard: Shard?, threads: Int) throws {
    // A worker may write where it finds a folder.
    if !node.servers.isEmpty { try File.makeDirectory(store.repliesDirectory) }
    let task = WorkerTask(
      address: node.address, stage: node.stage, key: ready.key.hex, options: node.options, inputs: inputs,
      seed: node.seed,
      numericMode: node.numericMode, threads: threads, engine: node.execution.engine, shard: shard,
      store: store.root,
      scratch: "\(folder(shard))/scratch", output: "\(folder(shard))/output",
      checkpointDirectory: store.checkpointDirectory(ready.key.hex),
      checkpointSeconds: node.execution.checkpointSeconds,
      journalDirectory: store.journalDirectory(ready.key.hex), repliesDirectory: store.repliesDirectory)
    let path = taskPath(shard)
    let file = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC)
    defer { file.closeQuietly() }
    try file.writeAll(task.json.text(.pretty) + "\n")
    jobs.append(RunningJob(handle: try executor.submit(job(path)), shard: shard))
    try record?.write(jobs.map { JobRecord.Entry(handle: $0.handle, shard: $0.shard?.index) })
  }

  /// Of all shards together; those that have not begun are taken to be like the others.
  var progress: NodeProgress? {
    let current = jobs.compactMap(\.report.progress)
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
    for job in jobs { executor.cancel(job.handle, .stop) }
  }

  func kill() {
    isStopRequested = true
    waitingShards = []
    for job in jobs { executor.cancel(job.handle, .kill) }
  }

  /// Takes what is known of the jobs; gives the node's end once there is one and every job has ended.
  func advance(_ reports: [JobHandle: JobReport], now: Double) throws -> JobEnd? {
    if let limit = node.execution.timeoutSeconds, now - startTime > limit, problem == nil, !isStopRequested {
      give(
        up: .failed(
          JobFailure(.stageFailed, "it ran longer than its timeout of \(duration(limit))", showsLog: true)),
        now)
    }
    if let time = killTime, now > time { for job in jobs { executor.cancel(job.handle, .kill) } }
    for handle in handles {
      guard let index = jobs.firstIndex(where: { $0.handle == handle }), let report = reports[handle] else {
        continue
      }
      jobs[index].report = report
      try log.append(try executor.logs(of: handle)[...])
      guard let end = report.end else { continue }
      take(end, of: jobs.remove(at: index), now)
    }
    if let done { return try isLocked() ? done : nil }
    if let problem { return try jobs.isEmpty && isLocked() ? problem : nil }
    if isStopRequested { return jobs.isEmpty ? .stopped : nil }
    try startShards()
    if jobs.isEmpty, waitingShards.isEmpty, !isAssembling, try isLocked() {
      isAssembling = true
      try start(shard: nil, threads: max(1, grant.threads))
    }
    return nil
  }

  /// What the end of one job means for the node.
  private func take(_ end: JobEnd, of job: RunningJob, _ now: Double) {
    take(measuresOf: job.report)
    if job.shard == nil { endedProgress = job.report.progress }
    // What we stopped had no time to end what it started.
    if job.report.hasLeftProcesses, !isStopRequested, problem == nil { hasLeftProcesses = true }
    switch end {
    case .done where problem == nil && job.shard == nil: done = end
    case .done:
      if problem == nil, let shard = job.shard, let progress = job.report.progress {
        shardProgress[shard.index] = progress
      }
    case .stopped: if problem == nil, isStopRequested { problem = .stopped }
    // Its own verdict counts; how a process ended that we were stopping does not.
    case .failed(let failure) where isStopRequested && problem == nil && !failure.isReported:
      problem = .stopped
    case .failed, .lost, .preempted: if problem == nil { give(up: end, now) }
    }
  }

  private func give(up end: JobEnd, _ now: Double) {
    problem = end
    for job in jobs { executor.cancel(job.handle, .stop) }
    killTime = now + 10
  }

  /// Whether the node's lock is ours: that of adopted jobs was their workers' until the last of them ended.
  private func isLocked() throws -> Bool {
    if lock != nil { return true }
    guard case .held(let lock) = try NodeLock.attempt(ready.key.hex, in: store, holder: holder) else {
      return false
    }
    self.lock = lock
    return true
  }

  /// Peaks are the largest of any worker's; all else adds up over shards.
  private func take(measuresOf report: JobReport) {
    for (name, value) in report.measures {
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
    record?.remove()
    record = nil
    lock?.release()
  }

  /// Gives up following jobs that go on by themselves.
  func leave() {
    log.close()
    record = nil
    lock?.release()
  }
}
