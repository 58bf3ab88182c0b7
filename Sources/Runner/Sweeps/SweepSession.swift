// A sweep from its first trial to its table: each trial an ordinary run over the same store.

import JSON
import Search
import System

package struct SweepSession {
  package let progress: SweepProgress
  /// A run of one plan as the command line asks for it.
  package let session: (TrialRun) -> RunSession
  /// Checks a run whole, and says what is wrong; gives its plan with what is known of its models, and throws where something is wrong.
  package let check: (TrialRun) throws -> Plan
  /// Events on standard output, and no view.
  package var writesEvents = false

  package init(
    _ progress: SweepProgress, check: @escaping (TrialRun) throws -> Plan,
    session: @escaping (TrialRun) -> RunSession
  ) {
    self.progress = progress
    self.check = check
    self.session = session
  }

  /// Nil to run one after the other in this process.
  package var workers: SweepWorkers?

  /// How the runs ended that did not end well.
  private final class Ends {
    let signals: SignalDescriptor
    var stopped: ExitCode?
    var unexpected = false
    init(_ signals: SignalDescriptor) { self.signals = signals }
  }

  /// Runs what is not known yet. Everything is said on stderr.
  package func run() throws -> ExitCode {
    try checkKnown()
    try progress.note()
    let signals = try RunSession.collectSignals()
    if let workers {
      return try workers.run(
        progress, signals: signals, say: words,
        check: { if progress.hasOutcomesToWaitFor { _ = try check($0) } }
      ) ?? .done
    }
    let ends = Ends(signals)
    do {
      try progress.advance { trial, run, iterations in try execute(trial, run, iterations, ends) }
    } catch is SweepStopped {}
    return ends.stopped ?? (ends.unexpected ? .unexpected : .done)
  }

  /// Before any work each trial that is known and not finished is checked whole; another seed changes nothing in that.
  private func checkKnown() throws {
    var unknown: [(trial: Int, run: TrialRun)] = []
    try progress.advance { trial, run, _ in
      unknown.append((trial.number, run))
      return false
    }
    var checked: Set<Int> = []
    var first: Plan?
    for (trial, run) in unknown where checked.insert(trial).inserted {
      let plan = try check(run)
      first = first ?? plan
    }
    guard let first,
      let words = try SweepDisk(unknown.map(\.run), like: first, progress.store, progress.stages).words
    else { return }
    RunSession.report(words)
  }

  private struct SweepStopped: Error {}

  private func execute(_ trial: SweepTrial, _ run: TrialRun, _ iterations: Int?, _ ends: Ends) throws -> Bool
  {
    if progress.hasOutcomesToWaitFor { _ = try check(run) }
    var session = session(run)
    if let metric = progress.sweep.metric {
      session.selection = try run.selection(of: metric, iterations: iterations)
    }
    session.trial = RunTrial(number: trial.number + 1, iterations: iterations)
    session.showsResults = false
    session.signals = ends.signals
    say(trial, run, iterations)
    let code = session.run()
    if code == .unexpected { ends.unexpected = true }
    let hasFailed = code.isResult && ![.done, .unexpected].contains(code)
    if !code.isResult || hasFailed && progress.sweep.failures == .stop {
      ends.stopped = code
      throw SweepStopped()
    }
    if !writesEvents, let name = progress.sweep.metric,
      case .value(let value)? = try progress.stored(run, iterations: iterations)
    {
      RunSession.report(TerminalText.escaped("        \(name) \(TextTable.number(value))"))
    }
    return true
  }

  private func words(_ trial: SweepTrial, _ run: TrialRun, _ iterations: Int?) -> String {
    let until = iterations.map { ", iteration \($0)" } ?? ""
    let settings = run.settings.joined(separator: ", ")
    return TerminalText.escaped(
      "trial \(trial.number + 1) of \(progress.count)\(until)\(settings.isEmpty ? "" : ": ")\(settings)")
  }

  private func say(_ trial: SweepTrial, _ run: TrialRun, _ iterations: Int?) {
    guard writesEvents else { return RunSession.report(words(trial, run, iterations)) }
    let event: JSON = [
      "event": "trial-started", "trial": .int(Int64(trial.number + 1)),
      "trials": .int(Int64(progress.count)),
      "values": .object(trial.values), "repetition": .object(run.repetition),
      "iterations": iterations.map { .int(Int64($0)) } ?? .null,
    ]
    try? File(descriptor: 1, path: "standard output").writeAll(event.text() + "\n")
  }
}
