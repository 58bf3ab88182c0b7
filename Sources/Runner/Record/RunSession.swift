// A run from its plan to its record: the store opened, the run directory made, the plan executed, the metrics shown.

import Glibc
import JSON
import System

package struct RunSession: Sendable {
  package var plan: Plan
  package var stages: [any Stage.Type]
  /// The `.plumb` folder.
  package var store: String
  /// The folder `runs`.
  package var runs: String
  /// The experiment file's text, kept with the run.
  package var experimentText: String
  /// Where the experiment is, inside the project by its path there; nil where it was read from no file.
  package var experimentFile: String?
  /// What else is kept of the experiment, by its path in the run's folder; see `RunDirectory.files(of:_:)`.
  package var experimentFiles: [(name: String, text: String)] = []
  /// What a person types to run this again; shown where that helps.
  package var command: String
  /// One of `executors`.
  package var executor: any Executor.Type = LocalExecutor.self
  package var threads: Int?
  package var jobs: Int?
  package var keepsGoing = false
  package var selection = Selection()
  /// The command that runs the node at an address alone.
  package var reproducing: (@Sendable (_ address: String) -> String)?
  /// Events on standard output, and no view.
  package var writesEvents = false
  /// The experiment's parameters as this run has them; kept with the run.
  package var parameters = JSONObject()
  /// Observers beside those that every run has.
  package var trackers: [@Sendable (WatchedRun) throws -> (any RunObserver)?] = []
  /// Where else its numbers are written.
  package var tracking = Tracking()
  /// Which trial of a sweep it is.
  package var trial: RunTrial?
  /// Given the run's folder when its record is whole, of a run that had something to do. What it cannot do is its own to say.
  package var afterwards: (@Sendable (_ folder: String) -> Void)?
  /// Whether metrics and evaluations are written to standard output.
  package var showsResults = true
  /// See `ExecutionOptions`.
  package var lockWaitSeconds: Double?
  package var bytesOf: [Int]?
  /// What a process that runs one plan after another collects signals with; nil for its own.
  package var signals: SignalDescriptor?
  /// Whether the user's files are hashed though their state stands.
  package var isStrict = false

  package init(
    plan: Plan, stages: [any Stage.Type], store: String, runs: String, experimentText: String, command: String
  ) {
    self.plan = plan
    self.stages = stages
    self.store = store
    self.runs = runs
    self.experimentText = experimentText
    self.command = command
  }

  /// Runs, and gives how the process is to end. Everything is said: on stderr, and the metrics on stdout.
  package func run() -> ExitCode {
    do {
      return try execute()
    } catch {
      RunSession.report("error: \(TerminalText.escaped("\(error)"))")
      return ExitCode(forOwn: error)
    }
  }

  /// From now on these wait for a run to take them.
  package static func collectSignals() throws -> SignalDescriptor {
    try SignalDescriptor([SIGINT, SIGTERM, SIGHUP])
  }

  private func execute() throws -> ExitCode {
    ignoreBrokenPipes()
    let signals = try signals ?? RunSession.collectSignals()
    let store = try Store(at: store)
    store.onWarning = { RunSession.report("warning: \(TerminalText.escaped($0))") }
    store.isStrict = isStrict
    do {
      try store.removeLeftovers()
    } catch let error as SystemError where error.isDenied {
      // Not ours to tidy up; a run that has something to compute says what it cannot write.
    }
    let resolution = try Resolution(plan: plan, store: store, stages: stages)
    let text = PlanText(plan)
    let directory = try makeDirectory(text)
    defer { directory.release() }
    let watched = WatchedRun(
      directory, store: store, at: self.store, tracking: tracking, writesEvents: writesEvents
    ) {
      PlanEstimate.expectedSeconds(resolution)
    }
    let observers = try (runObservers + trackers).compactMap { try $0(watched) }
    var options = ExecutionOptions(
      logDirectory: directory.logDirectory,
      holder: LockHolder(name: "run \(directory.id)", since: Timestamp.now().text))
    if let threads { options.threads = max(1, threads) }
    if let jobs { options.jobs = max(1, jobs) }
    options.keepsGoing = keepsGoing
    options.selection = selection
    options.reproducing = reproducing
    options.lockWaitSeconds = lockWaitSeconds
    options.bytesOf = bytesOf

    let result = try Scheduler(
      resolution, options: options, signals: signals, executor: executor.init(), observers: observers
    ).run()

    let numbers = Result { try self.numbers(of: result, store) }
    var files = [RunDirectory.file(of: text, keys: result.records.mapValues(\.key))]
    if case .success(let (metrics, evaluations)?) = numbers {
      files += [RunDirectory.file(of: metrics), RunDirectory.file(of: evaluations)]
    }
    try directory.write(files)
    if bytesOf == nil { try pin(result.records, run: directory.id, in: store) }
    let hadWork = result.executed > 0 || result.exitCode == .stageFailed
    if hadWork, bytesOf == nil { afterwards?(directory.path) }
    for observer in observers { observer.end() }
    for observer in observers { if let problem = observer.problem { throw problem } }
    if result.exitCode == .stageFailed {
      RunSession.report("to resume after the fix: `\(command)`; logs: \(directory.logDirectory)")
    }
    guard let (metrics, evaluations) = try numbers.get() else { return result.exitCode }
    if !writesEvents, showsResults {
      if result.executed > 0 { RunSession.report("run     \(TerminalText.escaped(directory.path))") }
      let parts = [metrics.table, evaluations.text].filter { !$0.isEmpty }
      try File(descriptor: 1, path: "standard output").writeAll(parts.joined(separator: "\n"))
    }
    return try judge(result, store)
  }

  /// What a run that came to its end measured.
  private func numbers(of result: ExecutionResult, _ store: Store) throws -> (MetricValues, EvaluationTable)?
  {
    guard result.exitCode == .done, bytesOf == nil else { return nil }
    return (
      try MetricValues(of: plan, records: result.records, skipped: result.skipped, store: store),
      try EvaluationTable(of: plan, records: result.records, store: store)
    )
  }

  /// What `expect:` says, after all has run: each condition that does not hold is said with its numbers.
  private func judge(_ result: ExecutionResult, _ store: Store) throws -> ExitCode {
    let reader = MetricReader(records: result.records, skipped: result.skipped, store: store)
    var code = ExitCode.done
    for condition in plan.expectations {
      let (holds, words) = try reader.judge(condition)
      if holds { continue }
      code = .unexpected
      for line in words { RunSession.report("unexpected: \(TerminalText.escaped(line))") }
    }
    return code
  }

  /// A store that may only be read is collected by nobody, at least not from here.
  private func pin(_ records: [Int: NodeRecord], run: String, in store: Store) throws {
    do {
      try store.write(RunPins(run: run, of: plan, records: records))
    } catch let error as SystemError where error.isDenied {}
  }

  private func makeDirectory(_ plan: PlanText) throws -> RunDirectory {
    do {
      return try RunDirectory(
        below: runs, name: self.plan.experimentName, experimentText: experimentText,
        experimentFile: experimentFile,
        command: command,
        parameters: parameters, trial: trial,
        files: [RunDirectory.file(of: plan, keys: [:])] + experimentFiles)
    } catch let error as SystemError where error.isDenied {
      throw RunError(
        .machine,
        "cannot \(error.operation) `\(error.path)`: \(String(cString: strerror(error.code)).lowercased()); every run is recorded in `\(runs)`: make it writable"
      )
    }
  }

  package static func report(_ line: String) {
    // Nobody reads a closed stderr.
    try? File(descriptor: 2, path: "stderr").writeAll(line + "\n")
  }
}
