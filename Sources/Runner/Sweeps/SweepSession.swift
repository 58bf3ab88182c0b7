// A sweep from its first trial to its table: each trial an ordinary run over the same store.

import JSON
import Search
import System

package struct SweepSession {
  package let progress: SweepProgress
  /// A run of one plan as the command line asks for it.
  package let session: (TrialRun) -> RunSession
  /// Checks a run whole, and says what is wrong; throws where something is.
  package let check: (TrialRun) throws -> Void
  /// Events on standard output, and no view.
  package var writesEvents = false

  package init(
    _ progress: SweepProgress, check: @escaping (TrialRun) throws -> Void,
    session: @escaping (TrialRun) -> RunSession
  ) {
    self.progress = progress
    self.check = check
    self.session = session
  }

  /// How the runs ended that did not end well.
  private final class Ends {
    let signals: SignalDescriptor
    var stopped: ExitCode?
    var unexpected = false
    init(_ signals: SignalDescriptor) { self.signals = signals }
  }

  /// Runs what is not known yet. Everything is said on stderr but the table.
  package func run() throws -> ExitCode {
    try checkKnown()
    let ends = Ends(try RunSession.collectSignals())
    do {
      try progress.advance { trial, run, iterations in try execute(trial, run, iterations, ends) }
    } catch is SweepStopped {}
    if let code = ends.stopped { return code }
    return ends.unexpected ? .unexpected : .done
  }

  /// Before any work all trials that are known are checked whole.
  private func checkKnown() throws {
    var unknown: [TrialRun] = []
    try progress.advance { _, run, iterations in
      if iterations == nil || iterations == progress.sweep.earlyEnd?.least { unknown.append(run) }
      return false
    }
    for run in unknown { try check(run) }
  }

  private struct SweepStopped: Error {}

  private func execute(_ trial: SweepTrial, _ run: TrialRun, _ iterations: Int?, _ ends: Ends) throws -> Bool
  {
    if progress.hasOutcomesToWaitFor { try check(run) }
    var session = session(run)
    if let name = progress.sweep.metric, let iterations {
      session.selection = try run.selection(
        of: try run.metric(name, isSeries: true), iterations: iterations)
    }
    session.trial = RunTrial(number: trial.number + 1, iterations: iterations)
    session.showsResults = false
    session.signals = ends.signals
    say(trial, run, iterations)
    switch session.run() {
    case .done: break
    case .unexpected: ends.unexpected = true
    case .stageFailed, .input, .lost:
      if progress.sweep.failures == .stop {
        ends.stopped = .stageFailed
        throw SweepStopped()
      }
    // Neither the trial's fault nor its result: the sweep goes on from here when it is run again.
    case let code:
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

  private func say(_ trial: SweepTrial, _ run: TrialRun, _ iterations: Int?) {
    let number = trial.number + 1
    if writesEvents {
      let event: JSON = [
        "event": "trial-started", "trial": .int(Int64(number)), "trials": .int(Int64(progress.count)),
        "values": .object(trial.values), "repetition": .object(run.repetition),
        "iterations": iterations.map { .int(Int64($0)) } ?? .null,
      ]
      try? File(descriptor: 1, path: "standard output").writeAll(event.text() + "\n")
      return
    }
    let until = iterations.map { ", iteration \($0)" } ?? ""
    let words = run.settings.joined(separator: ", ")
    RunSession.report(
      TerminalText.escaped(
        "trial   \(number) of \(progress.count)\(until)\(words.isEmpty ? "" : ": ")\(words)"))
  }
}
