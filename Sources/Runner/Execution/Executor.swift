// The local executor: runs a plan's nodes in worker processes, in order of dependency, as many at once as there is room.

import Glibc
import JSON

package struct ExecutionOptions: Sendable {
  package var threads = processorCount()
  /// The most nodes at once.
  package var jobs = 8
  /// A folder for the stages' logs.
  package var logDirectory: String
  /// How this run calls itself to others that wait for it.
  package var holder: String
  /// Run as `EXECUTABLE worker TASKFILE`.
  package var executable: String

  package init(logDirectory: String, holder: String, executable: String) {
    self.logDirectory = logDirectory
    self.holder = holder
    self.executable = executable
  }
}

package struct ExecutionResult: Sendable {
  package let exitCode: ExitCode
  package let records: [Int: NodeRecord]
  package let executed: Int
  package let cached: Int
}

/// One thread and one `poll` over the workers' pipes and the signals. A class because it is a process's one running execution.
package final class Executor {
  private var resolution: Resolution
  private let options: ExecutionOptions
  private let observers: [any RunObserver]
  private let signals: SignalDescriptor
  /// Nodes neither finished nor running, in plan order.
  private var pending: [Int]
  private var running: [RunningNode] = []
  private var slots: Slots
  private var retryTimes: [Int: Double] = [:]
  private var attempts: [Int: Int] = [:]
  private var announcedLocks: Set<Int> = []
  private var keys: [Int: (key: ContentKey, reasons: [String])] = [:]
  private var stopSignal: Int32?
  private var failure: ExitCode?
  private var executed = 0
  private var cached = 0
  private var modelPaths: [UTF8Key: String] = [:]

  private var plan: Plan { resolution.plan }
  private var isStopping: Bool { stopSignal != nil || failure != nil }

  package init(
    _ resolution: Resolution, options: ExecutionOptions, signals: SignalDescriptor,
    observers: [any RunObserver]
  ) {
    self.resolution = resolution
    self.options = options
    self.signals = signals
    self.observers = observers
    pending = Array(resolution.plan.nodes.indices)
    slots = Slots(total: options.threads)
    resolution.store.onWarning = { [observers, plan = resolution.plan] text in
      for observer in observers { observer.observe(.warning(text), in: plan) }
    }
  }

  private func tell(_ event: RunEvent) {
    for observer in observers { observer.observe(event, in: plan) }
  }

  /// Runs until everything is finished, something failed, or a signal asked for the end.
  /// - Throws: what keeps the run as a whole from going on: an input file, the store, the disk.
  package func run() throws -> ExecutionResult {
    let start = monotonicSeconds()
    tell(.runStarted(nodes: plan.nodes.count))
    do {
      try settleFinishedNodes()
      try fetchModels()
      while true {
        try takeSignals()
        if !isStopping { try startWhatCan() }
        if running.isEmpty, isStopping || pending.isEmpty { break }
        try wait()
        try collect()
        for observer in observers { observer.tick() }
      }
    } catch {
      endEverything()
      let code = ExitCode(for: error)
      tell(.runFinished(code, seconds: monotonicSeconds() - start, executed: executed, cached: cached))
      throw error
    }
    try resolution.saveLastKeys()
    try resolution.store.saveStatCache()
    let code = exitCode()
    tell(.runFinished(code, seconds: monotonicSeconds() - start, executed: executed, cached: cached))
    return ExecutionResult(exitCode: code, records: resolution.records, executed: executed, cached: cached)
  }

  private func exitCode() -> ExitCode {
    if let failure { return failure }
    switch stopSignal {
    case nil: return .done
    case SIGINT?: return .interrupted
    default: return .terminated
    }
  }

  // MARK: deciding

  /// Notes every pending node that is finished already; repeats while that lets more be decided.
  private func settleFinishedNodes() throws {
    var waiting: [Int] = []
    for index in pending {
      if keys[index] != nil {
        waiting.append(index)
        continue
      }
      switch try resolution.decide(index) {
      case .cached(let record):
        cached += 1
        tell(.nodeCached(index, key: record.key))
      case .willRun(let key, let reasons):
        keys[index] = (key, reasons.map(\.text))
        waiting.append(index)
      case .waits: waiting.append(index)
      }
    }
    pending = waiting
  }

  /// Fetches and checks the models of every node that may run, before any does.
  private func fetchModels() throws {
    for index in pending {
      for input in plan.nodes[index].inputs {
        guard case .model(let name) = input.source, modelPaths[UTF8Key(name)] == nil,
          let resolved = resolution.models[UTF8Key(name)]
        else { continue }
        modelPaths[UTF8Key(name)] = try ModelSource.localPath(of: resolved.model, store: resolution.store) {
          tell(.note($0))
        }
      }
    }
  }

  // MARK: starting

  private func startWhatCan() throws {
    try settleFinishedNodes()
    let now = monotonicSeconds()
    for index in pending {
      guard running.count < options.jobs else { return }
      guard let (key, reasons) = keys[index], retryTimes[index].map({ $0 <= now }) ?? true else { continue }
      let node = plan.nodes[index]
      let demand = slots.demand(of: node, try resolution.declaration(of: node))
      guard slots.take(demand) else { continue }
      var isTaken = false
      defer { if !isTaken { slots.giveBack(demand) } }
      switch try NodeLock.attempt(key.hex, in: resolution.store, holder: options.holder) {
      case .busy(let holder):
        if announcedLocks.insert(index).inserted { tell(.waitingForLock(index, holder: holder)) }
      case .held(let lock):
        // Another run may have finished it between our look and our lock.
        if let record = try resolution.store.record(key.hex) {
          lock.release()
          resolution.finish(index, record)
          pending.removeAll { $0 == index }
          cached += 1
          tell(.nodeCached(index, key: key.hex))
          return try startWhatCan()
        }
        let attempt = attempts[index, default: 0] + 1
        attempts[index] = attempt
        let run = try RunningNode(
          node: node, key: key, declaration: try resolution.declaration(of: node),
          inputs: try inputs(of: node),
          lock: lock, store: resolution.store, threads: demand, totalThreads: slots.total, options: options,
          fileDigests: try resolution.fileDigests(of: node))
        isTaken = true
        running.append(run)
        pending.removeAll { $0 == index }
        tell(
          .nodeStarted(
            index, key: key.hex, attempt: attempt, reasons: attempt == 1 ? reasons : ["attempt \(attempt)"]))
        try run.startWorkers()
      }
    }
  }

  private func inputs(of node: PlanNode) throws -> [(port: String, type: ArtifactType, path: String)] {
    try node.inputs.map { input in
      switch input.source {
      case .node(let index, let port):
        guard let output = resolution.records[index]?.output(port) else {
          throw RunError(
            .bug, "`\(node.address)` needs output `\(port)` of `\(plan.nodes[index].address)`, which has none"
          )
        }
        return (input.port, input.type, try resolution.store.readingPath(output))
      case .model(let name):
        guard let path = modelPaths[UTF8Key(name)] else {
          throw RunError(.bug, "the model `\(name)` of `\(node.address)` was not fetched")
        }
        return (input.port, input.type, path)
      }
    }
  }

  // MARK: waiting

  private func wait() throws {
    var waits = [pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)]
    for worker in running.flatMap(\.workers) {
      for descriptor in [worker.eventDescriptor, worker.logDescriptor] where descriptor >= 0 {
        waits.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
      }
    }
    if poll(&waits, nfds_t(waits.count), 100) < 0, errno != EINTR {
      throw SystemError("wait for", "the workers", code: errno)
    }
    // Short, so that a burst of small reports becomes one reading.
    if !running.isEmpty { usleep(2000) }
  }

  private func takeSignals() throws {
    while let signal = signals.next() {
      if stopSignal != nil {
        for run in running { run.kill() }
      } else {
        stopSignal = signal
        tell(.stopping(signal: signal))
        for run in running { run.requestStop() }
      }
    }
  }

  // MARK: collecting

  private func collect() throws {
    for run in running {
      let before = run.progress
      let state = try run.advance(now: monotonicSeconds())
      if let progress = run.progress, progress != before { tell(.nodeProgress(run.node.index, progress)) }
      guard let state else { continue }
      running.removeAll { $0 === run }
      slots.giveBack(run.threads)
      defer { run.close() }
      switch state {
      case .done(let outputs): try finish(run, outputs)
      case .stopped: tell(.nodeStopped(run.node.index))
      case .failed(let code, let message, let showsLog): try fail(run, code, message, showsLog: showsLog)
      }
    }
  }

  private func finish(_ run: RunningNode, _ outputs: [StoredOutput]) throws {
    let node = run.node
    for (file, digest) in zip(node.files, try resolution.fileDigests(of: node)) {
      guard run.fileDigests.contains(where: { $0.path == file.path && $0.digest == digest }) else {
        return try fail(
          run, .input, "`\(file.path)` changed while `\(node.address)` ran; its result is not kept",
          showsLog: false)
      }
    }
    let record = NodeRecord(
      key: run.key.hex, preimage: run.key.preimage, outputs: outputs, address: node.address,
      recipeKey: node.recipeKey, seconds: monotonicSeconds() - run.startTime, measures: run.measures,
      provenance: resolution.provenance(of: node))
    try resolution.store.write(record)
    resolution.finish(node.index, record)
    executed += 1
    tell(.nodeFinished(node.index, record))
    try resolution.saveLastKeys()
    try resolution.store.saveStatCache()
  }

  private func fail(_ run: RunningNode, _ code: ExitCode, _ message: String, showsLog: Bool) throws {
    let index = run.node.index
    let attempt = attempts[index, default: 1]
    if !isStopping, [.stageFailed, .remote].contains(code), attempt <= run.node.execution.retries {
      let delay = Double(1 << min(attempt - 1, 5))
      retryTimes[index] = monotonicSeconds() + delay
      pending.insert(index, at: pending.firstIndex { $0 > index } ?? pending.endIndex)
      tell(.nodeRetried(index, attempt: attempt, afterSeconds: delay, message: message))
      return
    }
    tell(.nodeFailed(index, code, message: message, logTail: showsLog ? run.log.lastLines : []))
    if stopSignal == nil, failure == nil {
      failure = code
      for other in running { other.requestStop() }
    }
  }

  /// When the run itself cannot go on: no worker may outlive it.
  private func endEverything() {
    for run in running {
      run.kill()
      for worker in run.workers { _ = worker.process.ending(waiting: true) }
      run.close()
    }
    running = []
  }
}
