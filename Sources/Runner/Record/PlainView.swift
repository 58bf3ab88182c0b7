// The view of a run where there is no terminal: a line when a node starts, about every ten seconds, and when it ends.

import Glibc
import JSON

package final class PlainView: RunObserver {
  private let file: File
  private var rates: [Int: ProgressRate] = [:]
  private var lastLine: [Int: Double] = [:]

  static let secondsBetweenLines = 10.0

  package init(_ file: File) { self.file = file }

  private func say(_ line: String) {
    // Nobody reads a closed stderr; the event log has it all.
    try? file.writeAll(line + "\n")
  }

  package func observe(_ event: RunEvent, in plan: Plan) {
    func name(_ index: Int) -> String { TerminalText.escaped(plan.nodes[index].address) }
    switch event {
    case .runStarted, .nodeStopped, .nodeCached: break
    case .nodeStarted(let index, _, _, let reasons):
      rates[index] = ProgressRate()
      lastLine[index] = monotonicSeconds()
      say("start   \(name(index)) (\(TerminalText.escaped(reasons.joined(separator: "; "))))")
    case .nodeProgress(let index, let progress):
      let now = monotonicSeconds()
      rates[index, default: ProgressRate()].add(progress, at: now)
      if now - (lastLine[index] ?? 0) >= PlainView.secondsBetweenLines, let rate = rates[index] {
        lastLine[index] = now
        say("        \(name(index)) \(ProgressText.status(progress, rate))")
      }
    case .nodeFinished(let index, let record): say("done    \(ProgressText.finished(plan, index, record))")
    default:
      for line in RunMessages.lines(event, plan) { say(line) }
    }
  }
}

/// The lines both views share.
enum RunMessages {
  static func lines(_ event: RunEvent, _ plan: Plan) -> [String] {
    func name(_ index: Int) -> String { TerminalText.escaped(plan.nodes[index].address) }
    switch event {
    case .nodeFailed(let index, _, let message, let tail):
      var lines = ["failed  \(name(index)): \(TerminalText.escaped(message))"]
      if !tail.isEmpty { lines += ["        the last lines of its log:"] + tail.map { "        | \(TerminalText.escaped($0))" } }
      return lines
    case .nodeRetried(let index, let attempt, let seconds, let message):
      return ["retry   \(name(index)): attempt \(attempt) failed (\(TerminalText.escaped(message))); again in \(duration(seconds))"]
    case .waitingForLock(let index, let holder):
      return ["wait    \(name(index)) is being computed by \(TerminalText.escaped(holder))"]
    case .stopping(let signal):
      return ["stopping (\(signalName(signal))): finished work is made durable; again to stop at once"]
    case .warning(let text): return ["warning: \(TerminalText.escaped(text))"]
    case .note(let text): return [TerminalText.escaped(text)]
    case .runFinished(let code, let seconds, let executed, let cached):
      let what = "\(executed) executed, \(cached) cached, \(duration(seconds))"
      switch code {
      case .done: return ["done: \(what)"]
      case .interrupted, .terminated: return ["stopped: \(what); run the same command again to go on"]
      default: return ["failed: \(what)"]
      }
    default: return []
    }
  }
}
