// The lines that both views of a run share.

import System

enum RunMessages {
  static func lines(_ event: RunEvent, _ plan: Plan) -> [String] {
    func name(_ index: Int) -> String { TerminalText.escaped(plan.nodes[index].address) }
    switch event {
    case .nodeFailed(let index, _, let message, let tail, let reproduce):
      var lines = ["failed  \(name(index)): \(TerminalText.escaped(message))"]
      if !tail.isEmpty {
        lines += ["        last lines of its log:"] + tail.map { "        | \(TerminalText.escaped($0))" }
      }
      if let reproduce { lines.append("        to reproduce: \(TerminalText.escaped(reproduce))") }
      return lines
    case .nodeBlocked(let index, let failed):
      return ["not run \(name(index)), which needs \(name(failed))"]
    case .nodeRetried(let index, let attempt, let seconds, let message):
      return [
        "retry   \(name(index)): attempt \(attempt) failed (\(TerminalText.escaped(message))); retrying in \(duration(seconds))"
      ]
    case .waitingForLock(let index, let holder):
      return ["wait    \(name(index)) is being computed by \(TerminalText.escaped(holder))"]
    case .stopping(let signal):
      return ["stopping (\(signalName(signal))): saving finished work; repeat to stop at once"]
    case .warning(let text): return ["warning: \(TerminalText.escaped(text))"]
    case .note(let text): return [TerminalText.escaped(text)]
    case .loopEnded(let loop, let iteration, let words):
      return [
        "ended   \(TerminalText.escaped(loop)) after iteration \(iteration): \(TerminalText.escaped(words.joined(separator: "; ")))"
      ]
    case .runFinished(let code, let seconds, let totals):
      if code == .done, totals.executed == 0 {
        return ["nothing to run: all \(stages(totals.nodes - totals.skipped)) cached (\(duration(seconds)))"]
      }
      var parts = ["\(stages(totals.executed)) run"]
      if totals.cached > 0 { parts.append("\(totals.cached) cached") }
      if totals.failed > 0 { parts.append("\(totals.failed) failed") }
      if totals.skipped > 0 { parts.append("\(totals.skipped) skipped") }
      let left = totals.nodes - totals.executed - totals.cached - totals.failed - totals.skipped
      if left > 0 { parts.append("\(left) not run") }
      let what = (parts + [duration(seconds)]).joined(separator: ", ")
      switch code {
      case .done: return ["done: \(what)"]
      case .interrupted, .terminated: return ["stopped: \(what); run the same command again to resume"]
      // An error of the run as a whole is said by itself.
      default: return totals.executed + totals.failed > 0 ? ["failed: \(what)"] : []
      }
    default: return []
    }
  }

  static func stages(_ count: Int) -> String { "\(count) stage\(count == 1 ? "" : "s")" }

  /// Addresses beside which something stands, so that it stands in one column; a long one may stick out.
  static func addressWidth(_ plan: Plan) -> Int {
    min(32, plan.nodes.map { TextTable.width(TerminalText.escaped($0.address)) }.max() ?? 0)
  }

  static func finished(_ plan: Plan, _ index: Int, _ record: NodeRecord) -> String {
    TextTable.padded(TerminalText.escaped(plan.nodes[index].address), to: addressWidth(plan)) + "  "
      + ProgressText.finished(record)
  }
}
