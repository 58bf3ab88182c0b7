// The view of a run on a terminal: one line for each running node, redrawn in place; what is finished scrolls away above.

import Glibc
import JSON

package final class LiveView: RunObserver {
  private struct Running {
    var start: Double
    var progress: NodeProgress?
    var rate = ProgressRate()
  }

  private let file: File
  private let usesColor: Bool
  private var plan: Plan?
  private var running: [(index: Int, state: Running)] = []
  private var waiting: [Int] = []
  private var drawnLines = 0
  private var lastDrawing = ""

  package init(_ file: File, usesColor: Bool) {
    self.file = file
    self.usesColor = usesColor
  }

  package func observe(_ event: RunEvent, in plan: Plan) {
    self.plan = plan
    switch event {
    case .runStarted, .nodeCached: break
    case .nodeStarted(let index, _, _, _): running.append((index, Running(start: monotonicSeconds())))
    case .nodeProgress(let index, let progress):
      guard let place = running.firstIndex(where: { $0.index == index }) else { return }
      running[place].state.progress = progress
      running[place].state.rate.add(progress, at: monotonicSeconds())
    case .nodeFinished(let index, let record):
      running.removeAll { $0.index == index }
      scroll([color(32, "✓") + " " + ProgressText.finished(plan, index, record)])
    case .nodeStopped(let index):
      running.removeAll { $0.index == index }
      scroll([color(33, "–") + " " + TerminalText.escaped(plan.nodes[index].address) + " stopped"])
    case .nodeFailed(let index, _, _, _), .nodeRetried(let index, _, _, _):
      running.removeAll { $0.index == index }
      scroll(RunMessages.lines(event, plan))
    default: scroll(RunMessages.lines(event, plan))
    }
  }

  private func color(_ code: Int, _ text: String) -> String { usesColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }

  package func tick() { draw() }

  /// Puts lines above the running ones, for good.
  private func scroll(_ lines: [String]) {
    emit(erasing() + lines.map { $0 + "\n" }.joined())
    drawnLines = 0
    lastDrawing = ""
    draw()
  }

  private func erasing() -> String {
    drawnLines == 0 ? "" : "\r\u{1B}[\(drawnLines)A\u{1B}[J"
  }

  /// In one write, and only when something changed: no flicker.
  private func draw() {
    guard let plan else { return }
    let width = columns()
    let now = monotonicSeconds()
    let name = min(28, running.map { plan.nodes[$0.index].address.unicodeScalars.count }.max() ?? 0)
    let lines = running.prefix(12).map { index, state in
      line(TerminalText.escaped(plan.nodes[index].address), nameWidth: name, state, now: now, width: width)
    }
    let drawing = lines.map { $0 + "\n" }.joined()
    guard drawing != lastDrawing else { return }
    emit(erasing() + drawing)
    drawnLines = lines.count
    lastDrawing = drawing
  }

  private func line(_ address: String, nameWidth: Int, _ state: Running, now: Double, width: Int) -> String {
    let name = LiveView.fit(address, nameWidth)
    guard let progress = state.progress else {
      return LiveView.clip("\(name)  \(duration((now - state.start).rounded(.down)))", width)
    }
    let share = progress.total > 0 ? min(1, max(0, Double(progress.done) / Double(progress.total))) : 0
    let barWidth = width >= 80 ? 20 : width >= 50 ? 10 : 0
    let filled = Int(share * Double(barWidth))
    let bar = String(repeating: "━", count: filled) + String(repeating: "╌", count: barWidth - filled)
    let text = LiveView.clip(ProgressText.status(progress, state.rate), width - nameWidth - barWidth - 4)
    return "\(name)  \(color(36, bar))  \(text)"
  }

  private static func fit(_ text: String, _ width: Int) -> String {
    let scalars = Array(text.unicodeScalars)
    if scalars.count <= width { return text + String(repeating: " ", count: width - scalars.count) }
    return "…" + String(String.UnicodeScalarView(scalars.suffix(max(0, width - 1))))
  }

  /// A scalar counts as one column; wide characters are rare in what stages say.
  private static func clip(_ text: String, _ width: Int) -> String {
    let scalars = text.unicodeScalars
    return scalars.count <= width ? text : String(String.UnicodeScalarView(scalars.prefix(max(0, width - 1)))) + "…"
  }

  private func columns() -> Int {
    var size = winsize()
    guard ioctl(file.descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  private func emit(_ text: String) {
    // A terminal that went away is no reason to lose the run.
    try? file.writeAll(text)
  }
}

/// The view that fits where stderr goes.
package func standardView() -> any RunObserver {
  let file = File(descriptor: 2, path: "stderr")
  let isSimple = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
  guard isatty(2) == 1, !isSimple else { return PlainView(file) }
  return LiveView(file, usesColor: getenv("NO_COLOR").map { String(cString: $0).isEmpty } ?? true)
}
