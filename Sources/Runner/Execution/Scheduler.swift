// The scheduler: runs a plan's nodes as jobs of an executor, in order of dependency, as many at once as there is room.
//
// A node goes through `SchedulerDeciding` (is it finished, may it run), `SchedulerStarting` (is there room, whose is the lock)
// and `SchedulerCollecting` (what its workers say, how it ended); this file holds what they share and the loop around them.

import Glibc
import JSON
import System

/// One thread and one `poll` over the signals and what the executor waits on. A class because it is a process's one running execution.
package final class Scheduler {
  var resolution: Resolution
  let options: ExecutionOptions
  let signals: SignalDescriptor
  let executor: any Executor
  private let observers: [any RunObserver]

  /// How many nodes each still waits for, and which wait for it.
  var unmet: [Int]
  let dependents: [[Int]]
  /// Everything they need is finished; they themselves have not been looked at.
  var undecided: [Int] = []
  /// They must run and are waiting for room, a lock or the time of their next attempt; in plan order.
  var ready: [ReadyNode] = []
  var running: [RunningNode] = []
  var slots: Slots
  var stopSignal: Int32?
  /// Of the first node that failed.
  var failure: ExitCode?
  var totals = RunTotals()
  /// Nodes that failed, and nodes that will not run because of one.
  var lost: Set<Int> = []
  var modelPaths: [UTF8Key: String] = [:]
  /// Paths of data sets that were fetched, by their digests.
  var dataPaths: [Digest: [String]] = [:]
  /// When the last keys and the stat cache were last written.
  var lastSaving = monotonicSeconds()
  /// Since when each node has waited for another run.
  var lockWaits: [Int: Double] = [:]
  /// Finished nodes whose bytes were evicted and are needed: run again, for the same bytes.
  var recomputed: Set<Int> = []

  var plan: Plan { resolution.plan }
  var isStopping: Bool { stopSignal != nil || (failure != nil && !options.keepsGoing) }

  package init(
    _ resolution: Resolution, options: ExecutionOptions, signals: SignalDescriptor,
    executor: any Executor, observers: [any RunObserver]
  ) {
    self.resolution = resolution
    self.options = options
    self.signals = signals
    self.executor = executor
    self.observers = observers
    let plan = resolution.plan
    var dependents = [[Int]](repeating: [], count: plan.nodes.count)
    unmet = plan.nodes.indices.map { index in
      let needs = plan.needs(of: index)
      for source in needs { dependents[source].append(index) }
      return needs.count
    }
    self.dependents = dependents
    slots = Slots(threads: options.threads, machine: options.machine)
    self.resolution.forced = options.selection.forced
    self.resolution.store.onWarning = { [observers] text in
      for observer in observers { observer.observe(.warning(text), in: plan) }
    }
  }

  func report(_ event: RunEvent) {
    for observer in observers { observer.observe(event, in: plan) }
  }

  /// Runs until everything is finished, nothing more can, or a signal asked for the end.
  /// - Throws: what keeps the run as a whole from going on: an input file, the store, the machine.
  package func run() throws -> ExecutionResult {
    let start = monotonicSeconds()
    totals.nodes = plan.nodes.indices.count { options.selection.contains($0) }
    report(.runStarted(nodes: totals.nodes))
    do {
      try decideAtStart()
      while true {
        try takeSignals()
        if !isStopping { try startWhatCan() }
        if running.isEmpty, isStopping || ready.isEmpty { break }
        try wait()
        try collect()
        for observer in observers { observer.tick() }
      }
    } catch {
      endEverything()
      // What stopped the run is told; what was finished by then is still explained later.
      try? saveCaches()
      report(.runFinished(ExitCode(for: error), seconds: monotonicSeconds() - start, totals))
      throw error
    }
    try saveCaches()
    report(.runFinished(exitCode, seconds: monotonicSeconds() - start, totals))
    return ExecutionResult(
      exitCode: exitCode, records: resolution.records, executed: totals.executed, cached: totals.cached,
      skipped: resolution.skipped)
  }

  func saveCaches() throws {
    try resolution.saveLastKeys()
    resolution.store.saveStatCache()
    lastSaving = monotonicSeconds()
  }

  private var exitCode: ExitCode {
    switch stopSignal {
    case nil: failure ?? .done
    case SIGINT?: failure ?? .interrupted
    default: failure ?? .terminated
    }
  }

  private var handles: [JobHandle] { running.flatMap(\.handles) }

  private func wait() throws {
    let waits = executor.waits(for: handles)
    try signals.wait(or: waits.reports + waits.ends, within: waits.milliseconds)
    // So that a burst of small reports becomes one reading; an end is not kept waiting.
    if !running.isEmpty { try signals.wait(or: waits.ends, within: 2) }
  }

  private func takeSignals() throws {
    while let signal = signals.next() {
      if stopSignal != nil {
        for run in running { run.kill() }
      } else {
        stopSignal = signal
        report(.stopping(signal: signal))
        for run in running { run.requestStop() }
      }
    }
  }

  /// When the run itself cannot go on: no worker may outlive it.
  private func endEverything() {
    for run in running { run.kill() }
    var open = Set(handles)
    // A job that nobody can ask about any more cannot be waited for.
    for _ in 0..<5000 where !open.isEmpty {
      guard let reports = try? executor.poll(Array(open)) else { break }
      open = open.filter { reports[$0].map { $0.end == nil } ?? false }
      if !open.isEmpty { usleep(2000) }
    }
    for run in running { run.close() }
    running = []
  }
}
