// `plumb run`: runs an experiment, or goes on with it.

import ArgumentParser
import Runner
import System

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run an experiment; finished stages are not run again.",
    discussion: """
      The first Ctrl-C stops at the next point from which the same command can resume, the second at once. At the end the declared \
      metrics and a table of all evaluations go to standard output; all else goes to standard error, and everything about the \
      run to runs/NAME/ID/. With a `sweep:` all its trials are run, each an ordinary run, and a table of them is written; with a \
      varied parameter among `--set` one run.

        \(Program.name) run experiments/quickstart.yaml --set iterations=3
      """)

  @OptionGroup var experiment: ExperimentArguments
  @OptionGroup var storage: StoreArguments

  @Option(
    help: "Where stages run: \(executors.map { $0.name }.joined(separator: ", ")) (the first is the default)."
  )
  var executor: String?

  @Option(help: "Threads a stage may use (default: all processors). Changes no result.")
  var threads: Int?

  @Option(name: .shortAndLong, help: "Maximum number of stages at once (default: 8).")
  var jobs: Int?

  @Flag(
    exclusivity: .exclusive,
    help: ArgumentHelp(
      "After a failure: run the stages that do not need the failed one, or stop all others (the default)."))
  var afterFailure = AfterFailure.failFast

  @OptionGroup var selection: SelectionArguments
  @Option(
    help: ArgumentHelp(
      "Seconds to wait for a stage that another run computes, then exit with 8 (default: until it is done).",
      valueName: "seconds"))
  var wait: Double?

  @OptionGroup var reading: ReadingArguments

  @Flag(help: "Of an experiment with a sweep: one run, with the parameters as the file has them.")
  var noSweep = false

  @Option(help: ArgumentHelp("Of a sweep: runs at once, each in a process of its own.", valueName: "n"))
  var workers: Int?

  /// The trial that this process runs for a sweep, `NUMBER` or `NUMBER:ITERATIONS`.
  @Option(help: .hidden) var trial: String?

  @Flag(help: "Of a sweep: run failed trials again. What other trials are suggested does not change.")
  var retryFailed = false

  @Flag(
    help: "Write no page about the run, runs/NAME/ID/report.html, nor about the sweep, runs/NAME/sweep.html.")
  var noReport = false

  @Flag(help: "Write events to standard output, one JSON object per line.")
  var json = false

  func validate() throws {
    for (name, value) in [("--threads", threads), ("--jobs", jobs), ("--workers", workers)] {
      if let value, value < 1 { throw ValidationError("\(name) must be at least 1, found \(value)") }
    }
    if json, workers ?? 1 > 1 {
      throw ValidationError(
        "--json writes the events of one run after the other; with --workers each run keeps its own in runs/NAME/ID/events.jsonl"
      )
    }
    if let executor, !executors.contains(where: { $0.name == executor }) {
      let names = executors.map { "`\($0.name)`" }.joined(separator: ", ")
      throw ValidationError("--executor must be one of \(names), found `\(executor)`")
    }
    if let wait, !(wait >= 0 && wait < 1e9) {
      throw ValidationError("--wait must be a number of seconds, found \(wait)")
    }
  }

  func run() throws {
    finish {
      let reader = ExperimentReader(experiment, storage, reading)
      // Trials are checked one by one, with their own values.
      let loaded = load(reader) { isSwept($0.sweep) ? nil : StageAnswers() }
      if let sweep = loaded.sweep {
        if isSwept(sweep) { return try run(sweep, Sweeping(reader, loaded, sweep)) }
        let given = Sweeping.given(sweep, experiment)
        if !given.isEmpty, trial == nil {
          let names = given.map { "`\($0)`" }.joined(separator: ", ")
          standardError(
            TerminalText.escaped("one run: `--set` gives \(names), which the sweep would give") + "\n")
        }
      }
      let selection = try selection.selection(in: loaded.plan)
      var session = loaded.session(store: storage.path(projectRoot: loaded.projectRoot))
      configure(&session, settings: experiment.set)
      session.selection = selection
      if let trial = trial.flatMap({ RunTrial(text: $0) }) {
        session.trial = trial
        session.command = shellWords(
          [Program.name, "run", experiment.file] + experiment.set.flatMap { ["--set", $0] })
      }
      return session.run()
    }
  }

  private func configure(_ session: inout RunSession, settings: [String]) {
    if let chosen = executors.first(where: { $0.name == executor }) { session.executor = chosen }
    session.threads = threads
    session.jobs = jobs
    session.writesEvents = json
    session.keepsGoing = afterFailure == .keepGoing
    let words = [Program.name, "spin", experiment.file] + settings.flatMap { ["--set", $0] }
    let store = storage.store.map { ["--store", $0] } ?? []
    session.reproducing = { shellWords(words + [$0] + store) }
    session.lockWaitSeconds = wait
    session.isStrict = reading.strict
    if !noReport {
      let store = session.store
      session.afterwards = { folder in
        ReportFile.attempt { try ReportFile.write(ofRun: folder, store: store) }
      }
    }
  }

  // MARK: a sweep

  private func isSwept(_ sweep: Sweep?) -> Bool {
    guard let sweep, !noSweep else { return false }
    return Sweeping.given(sweep, experiment).isEmpty
  }

  private func run(_ sweep: Sweep, _ sweeping: Sweeping) throws -> System.ExitCode {
    guard selection.isEmpty else {
      throw RunError(
        .commandLine,
        "a sweep runs whole trials; for a part of one, give its values with `--set`, or write `--no-sweep`")
    }
    let configuration = try UserConfiguration.read()
    let progress = try sweeping.progress(storage)
    progress.retriesFailed = retryFailed
    // A sweep that had nothing to run has its page already.
    var hadWork = false
    var session = SweepSession(progress, check: sweeping.checker()) { run in
      hadWork = true
      let trial = LoadedExperiment(run.experiment, run.plan, configuration)
      var session = trial.session(store: storage.path(projectRoot: trial.projectRoot))
      session.command = sweeping.command(run)
      configure(&session, settings: experiment.set + run.settings)
      return session
    }
    session.writesEvents = json
    if let workers, workers > 1 {
      session.workers = SweepWorkers(count: workers) { run, trial, until in
        hadWork = true
        return arguments(run, trial, until, workers)
      }
    }
    let code = try session.run()
    if !json { try showSweep(progress) }
    if !noReport, hadWork {
      ReportFile.attempt { try ReportFile.write(of: progress, sweeping.loaded) }
    }
    return code
  }
}

extension RunCommand {
  /// Of this program, for one run of a sweep among several at once.
  private func arguments(_ run: TrialRun, _ trial: RunTrial, _ until: String?, _ workers: Int) -> [String] {
    var words = ["run", experiment.file, "--trial", trial.text]
    words += (experiment.set + run.settings).flatMap { ["--set", $0] }
    words += ["--threads", String(max(1, (threads ?? processorCount()) / workers))]
    words += until.map { ["--until", $0] } ?? []
    words += storage.store.map { ["--store", $0] } ?? []
    words += executor.map { ["--executor", $0] } ?? []
    words += jobs.map { ["--jobs", String($0)] } ?? []
    words += wait.map { ["--wait", String($0)] } ?? []
    words += (reading.strict ? ["--strict"] : []) + (noReport ? ["--no-report"] : [])
    return words + (afterFailure == .keepGoing ? ["--keep-going"] : [])
  }
}

/// The table on standard output, what is to be said of it on standard error.
func showSweep(_ progress: SweepProgress) throws {
  let table = try SweepTable(progress, sorts: true)
  try standardOutput(table.text(.text))
  standardError(table.notes.map { TerminalText.escaped($0) + "\n" }.joined())
}

enum AfterFailure: String, EnumerableFlag {
  case keepGoing
  case failFast
}

/// Which stages, for commands that may look at a part of the plan.
struct SelectionArguments: ParsableArguments {
  static let address = "address"

  @Option(
    help: ArgumentHelp("Only these stages; what they need must be finished.", valueName: address),
    completion: Completion.addresses)
  var only: [String] = []

  @Option(
    help: ArgumentHelp("These stages, all that depends on them, and what that needs.", valueName: address),
    completion: Completion.addresses)
  var from: [String] = []

  @Option(
    help: ArgumentHelp("These stages and all they need.", valueName: address),
    completion: Completion.addresses)
  var until: [String] = []

  @Option(
    help: ArgumentHelp(
      "Compute these again although they are finished, and report whether the bytes differ.",
      valueName: address),
    completion: Completion.addresses)
  var force: [String] = []

  var isEmpty: Bool { (only + from + until + force).isEmpty }

  func selection(in plan: Plan) throws -> Selection {
    try Selection(only: only, from: from, until: until, force: force, in: plan)
  }
}
