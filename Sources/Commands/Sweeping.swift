// A sweep from the command line: which runs its trials are, and how each is planned and checked.

import Glibc
import JSON
import Runner
import System

struct Sweeping {
  let reader: ExperimentReader
  let loaded: LoadedExperiment
  let sweep: Sweep
  /// Where mistakes in JSON go.
  var descriptor: Int32 = 2
  private let answers = StageAnswers()

  init(_ reader: ExperimentReader, _ loaded: LoadedExperiment, _ sweep: Sweep) {
    self.reader = reader
    self.loaded = loaded
    self.sweep = sweep
  }

  /// Names among `--set` that the sweep gives itself: with one of them the command means one run.
  static func given(_ sweep: Sweep, _ arguments: ExperimentArguments) -> [String] {
    let set = arguments.set.map { Substring($0.utf8.prefix { $0 != UInt8(ascii: "=") }) }
    return (sweep.names + sweep.repeats.map(\.name)).filter { name in
      set.contains { UTF8Key(String($0)) == UTF8Key(name) }
    }
  }

  /// - Throws: `RunError` (2) where the file can be read only once.
  func progress(_ storage: StoreArguments) throws -> SweepProgress {
    guard reader.arguments.file != "-" else {
      throw RunError(
        .commandLine,
        "a sweep reads its experiment once for each trial; write it to a file instead of standard input")
    }
    let store = try Store(at: storage.path(projectRoot: loaded.projectRoot))
    store.onWarning = { standardError("warning: \(TerminalText.escaped($0))\n") }
    let runs = "\(loaded.projectRoot)/runs"
    return try SweepProgress(
      sweep, record: try TrialRecord(runs: runs, experiment: loaded.plan.experimentName), store: store,
      stages: stageRegistry.stages, planner: { settings, answers in try plan(settings, answers) })
  }

  /// - Throws: `RunError` after what is wrong was said.
  private func plan(_ settings: [String], _ answers: StageAnswers?) throws -> (
    experiment: Experiment, plan: Plan
  ) {
    switch reader.plan(settings, answers: { _ in answers }) {
    case .success(let planned): return planned
    case .failure(let list):
      report(list, reader.arguments.format, jsonTo: descriptor)
      throw RunError(
        list.exitCode, "the experiment is wrong in the trial with \(settings.joined(separator: ", "))")
    }
  }

  /// Says what is wrong with a run, each warning once for all runs.
  func checker() -> (TrialRun) throws -> Plan {
    func text(_ warning: Diagnostic) -> String { DiagnosticRenderer().render(DiagnosticList([warning])) }
    // What the file as it is was warned of, has been said.
    var said = Set(loaded.plan.warnings.map(text))
    return { run in
      let checked = try plan(run.settings, answers).plan
      let new = checked.warnings.filter { said.insert(text($0)).inserted }
      report(DiagnosticList(new), reader.arguments.format, jsonTo: descriptor)
      return checked
    }
  }

  /// Checks one run of each trial that is known before any has run; how many these are.
  func checkKnown() throws -> Int {
    let check = checker()
    var sequence = try sweep.sequence()
    var count = 0
    while count < trials, case .trial(let trial) = try sequence.next() {
      let run = try TrialRun(trial.values, sweep.repetitions[0]) { settings, answers in
        try plan(settings, answers)
      }
      if let metric = sweep.metric { _ = try run.metric(metric, isSeries: sweep.earlyEnd != nil) }
      _ = try check(run)
      count += 1
    }
    return count
  }

  var trials: Int { (try? sweep.sequence().count) ?? sweep.trials ?? 0 }

  /// What runs it alone.
  func command(_ run: TrialRun) -> String {
    let set = (reader.arguments.set + run.settings).flatMap { ["--set", $0] }
    return shellWords([Program.name, "run", reader.arguments.file] + set)
  }
}
