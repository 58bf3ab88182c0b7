// The view of a run where there is no terminal: a line when a node starts, about every ten seconds, and when it ends.

import Glibc
import JSON
import System

package final class PlainView: RunObserver {
  private struct Running {
    let start: Double
    var lastLine: Double
    var progress: NodeProgress?
    var rate = ProgressRate()
  }

  private let file: File
  private var running: [(index: Int, state: Running)] = []
  private var plan: Plan?
  private var cached = 0
  private var hasStarted = false

  static let secondsBetweenLines = 10.0

  package init(_ file: File) { self.file = file }

  @Sendable static func withoutTerminal(_ run: WatchedRun) -> (any RunObserver)? {
    run.isTerminal || run.writesEvents ? nil : PlainView(File(descriptor: 2, path: "stderr"))
  }

  private func write(_ line: String) {
    // Nobody reads a closed stderr; the event log has it all.
    try? file.writeAll(line + "\n")
  }

  package func observe(_ event: RunEvent, in plan: Plan) {
    self.plan = plan
    switch event {
    case .runStarted: break
    case .nodeCached: cached += 1
    case .nodeStarted(let index, _, _, let reasons):
      if !hasStarted, cached > 0 { write("cached  \(cached) of \(RunMessages.stages(plan.nodes.count))") }
      hasStarted = true
      let now = monotonicSeconds()
      running.append((index, Running(start: now, lastLine: now)))
      write("start   \(name(index, plan))  \(TerminalText.escaped(reasons.joined(separator: "; ")))")
    case .nodeProgress(let index, let progress):
      guard let place = running.firstIndex(where: { $0.index == index }) else { return }
      running[place].state.progress = progress
      running[place].state.rate.add(progress, at: monotonicSeconds())
    case .nodeFinished(let index, let record):
      running.removeAll { $0.index == index }
      write("done    \(RunMessages.finished(plan, index, record))")
    case .nodeStopped(let index), .nodeFailed(let index, _, _, _, _), .nodeRetried(let index, _, _, _):
      running.removeAll { $0.index == index }
      for line in RunMessages.lines(event, plan) { write(line) }
    default:
      for line in RunMessages.lines(event, plan) { write(line) }
    }
  }

  package func tick() {
    guard let plan else { return }
    let now = monotonicSeconds()
    for place in running.indices where now - running[place].state.lastLine >= PlainView.secondsBetweenLines {
      running[place].state.lastLine = now
      let (index, state) = running[place]
      let words =
        state.progress.map { ProgressText.parts($0, state.rate).joined(separator: " · ") }
        ?? "for \(duration(now - state.start)) now"
      write("        \(name(index, plan))  \(words)")
    }
  }

  private func name(_ index: Int, _ plan: Plan) -> String {
    TextTable.padded(TerminalText.escaped(plan.nodes[index].address), to: RunMessages.addressWidth(plan))
  }
}
