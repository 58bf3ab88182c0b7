// The view of a run on a terminal: one line for each running node and one for the run, redrawn in place; what is finished
// scrolls away above.

import Glibc
import JSON
import System

package final class LiveView: RunObserver {
  private struct Running {
    var start: Double
    var progress: NodeProgress?
    var rate = ProgressRate()
  }

  private let file: File
  private let usesColor: Bool
  private let startTime = monotonicSeconds()
  private let expectedSeconds: () -> [Double?]
  private var left: TimeLeft?
  private var plan: Plan?
  private var running: [(index: Int, state: Running)] = []
  private var cached = 0
  /// Found to be over before anything started.
  private var over: Set<Int> = []
  private var finished = 0
  private var hasStarted = false
  private var isStopping = false
  /// Columns of each line on the screen that is ours.
  private var drawnWidths: [Int] = []
  private var lastDrawing = ""
  /// To stand above the running lines with the next frame.
  private var scrolled = ""

  /// - Parameter expectedSeconds: of each node what it may take; asked once.
  package init(_ file: File, usesColor: Bool, expectedSeconds: @escaping () -> [Double?] = { [] }) {
    self.file = file
    self.usesColor = usesColor
    self.expectedSeconds = expectedSeconds
  }

  @Sendable static func onTerminal(_ run: WatchedRun) -> (any RunObserver)? {
    guard run.isTerminal, !run.writesEvents else { return nil }
    return LiveView(
      File(descriptor: 2, path: "stderr"), usesColor: System.usesColor(2),
      expectedSeconds: run.expectedSeconds)
  }

  package func observe(_ event: RunEvent, in plan: Plan) {
    self.plan = plan
    switch event {
    case .runStarted: break
    case .nodeCached(let index, _):
      cached += 1
      over.insert(index)
    case .nodeSkipped(let index), .nodeBlocked(let index, _):
      over.insert(index)
      left?.leaveOut(index)
      scroll(RunMessages.lines(event, plan))
    case .nodeStarted(let index, _, _, _):
      if !hasStarted, cached > 0 {
        scroll([color(.faint, "· \(cached) of \(RunMessages.stages(plan.nodes.count)) cached")])
      }
      if !hasStarted { expect(plan) }
      hasStarted = true
      running.append((index, Running(start: monotonicSeconds())))
    case .nodeProgress(let index, let progress):
      guard let place = running.firstIndex(where: { $0.index == index }) else { return }
      running[place].state.progress = progress
      running[place].state.rate.add(progress, at: monotonicSeconds())
    case .nodeFinished(let index, let record):
      running.removeAll { $0.index == index }
      finished += 1
      left?.finish(index, seconds: record.seconds)
      scroll([color(.green, "✓") + " " + clip(RunMessages.finished(plan, index, record), columns() - 2)])
    case .nodeStopped(let index):
      running.removeAll { $0.index == index }
      scroll([color(.yellow, "–") + " " + TerminalText.escaped(plan.nodes[index].address) + " stopped"])
    case .nodeFailed(let index, _, _, _, _), .nodeRetried(let index, _, _, _):
      running.removeAll { $0.index == index }
      var lines = RunMessages.lines(event, plan)
      if let first = lines.first { lines[0] = color(.red, "✗") + " " + first }
      scroll(lines)
    case .stopping:
      isStopping = true
      scroll(RunMessages.lines(event, plan))
    case .runFinished:
      running = []
      scroll(RunMessages.lines(event, plan))
    default: scroll(RunMessages.lines(event, plan))
    }
  }

  /// When it is known what is finished.
  private func expect(_ plan: Plan) {
    let expected = expectedSeconds()
    guard expected.count == plan.nodes.count else { return }
    var left = TimeLeft(plan, expected: expected)
    for index in over { left.leaveOut(index) }
    self.left = left
  }

  private func color(_ style: TerminalStyle, _ text: String) -> String {
    usesColor ? style.applied(to: text) : text
  }

  package func tick() { draw() }

  /// Puts lines above the running ones, for good.
  private func scroll(_ lines: [String]) {
    scrolled += lines.map { $0 + "\n" }.joined()
    draw()
  }

  private func erasing() -> String {
    guard !drawnWidths.isEmpty else { return "" }
    // A terminal that has become narrower since has broken our lines in two.
    let width = max(1, columns())
    let rows = drawnWidths.reduce(0) { $0 + max(1, ($1 + width - 1) / width) }
    return "\r\u{1B}[\(rows)A\u{1B}[J"
  }

  /// In one write, and only when something changed: no flicker.
  private func draw() {
    guard let plan else { return }
    let now = monotonicSeconds()
    var lines: [String] = []
    if !running.isEmpty {
      // The last column stays free: some terminals wrap when it is written.
      let width = columns() - 1
      let shown = running.prefix(12)
      let name = min(
        28, shown.map { TextTable.width(TerminalText.escaped(plan.nodes[$0.index].address)) }.max() ?? 0)
      lines = shown.map { index, state in
        line(TerminalText.escaped(plan.nodes[index].address), nameWidth: name, state, now: now, width: width)
      }
      lines.append(color(.faint, clip(summary(plan, now), width)))
    }
    let drawing = lines.map { $0 + "\n" }.joined()
    guard drawing != lastDrawing || !scrolled.isEmpty else { return }
    emit(erasing() + scrolled + drawing)
    scrolled = ""
    drawnWidths = lines.map { TextTable.width(LiveView.withoutColor($0)) }
    lastDrawing = drawing
  }

  private func summary(_ plan: Plan, _ now: Double) -> String {
    var text =
      "\(cached + finished) of \(RunMessages.stages(plan.nodes.count)) done · \(elapsed(since: startTime, now))"
    let known = running.map { index, state in
      (index, now - state.start, state.progress.flatMap { state.rate.secondsLeft($0) })
    }
    if let words = left?.words(running: known) { text += " · \(words)" }
    if running.count > 12 { text += " · \(running.count - 12) more running" }
    return text + (isStopping ? " · stopping" : " · Ctrl-C stops, the same command resumes")
  }

  /// In whole seconds, which do not flicker.
  private func elapsed(since start: Double, _ now: Double) -> String {
    let seconds = max(0, (now - start).rounded(.down))
    return seconds < 10 ? "\(Int(seconds)) s" : duration(seconds)
  }

  private func line(_ address: String, nameWidth: Int, _ state: Running, now: Double, width: Int) -> String {
    let name = fit(address, nameWidth)
    let share =
      state.progress.map { $0.total > 0 ? min(1, max(0, Double($0.done) / Double($0.total))) : 0 } ?? 0
    let barWidth = width >= 99 ? 20 : width >= 60 ? 10 : 0
    let filled = Int(share * Double(barWidth))
    let bar =
      color(.cyan, String(repeating: "━", count: filled))
      + color(.faint, String(repeating: "╌", count: barWidth - filled))
    let room = width - nameWidth - (barWidth > 0 ? barWidth + 4 : 2)
    var parts =
      state.progress.map { ProgressText.parts($0, state.rate) } ?? [
        "starting · \(elapsed(since: state.start, now))"
      ]
    while parts.count > 1, TextTable.width(parts.joined(separator: " · ")) > room { parts.removeLast() }
    let text = clip(parts.joined(separator: " · "), room)
    return barWidth > 0 ? "\(name)  \(bar)  \(text)" : "\(name)  \(text)"
  }

  /// Exactly so wide; of a long name the end, which tells more.
  private func fit(_ text: String, _ width: Int) -> String {
    if TextTable.width(text) <= width { return TextTable.padded(text, to: width) }
    var scalars = Array(text.unicodeScalars)
    while !scalars.isEmpty, scalars.reduce(0, { $0 + TerminalText.width($1) }) > width - 1 {
      scalars.removeFirst()
    }
    return TextTable.padded("…" + String(String.UnicodeScalarView(scalars)), to: width)
  }

  private func clip(_ text: String, _ width: Int) -> String {
    if TextTable.width(text) <= width { return text }
    var scalars = Array(text.unicodeScalars)
    while !scalars.isEmpty, scalars.reduce(0, { $0 + TerminalText.width($1) }) > width - 1 {
      scalars.removeLast()
    }
    return width > 0 ? String(String.UnicodeScalarView(scalars)) + "…" : ""
  }

  private func columns() -> Int { terminalColumns(file.descriptor) ?? 80 }

  /// A frame: drawn by the terminal in one go where it can, the cursor hidden while it moves and there again at the end,
  /// so that no death of this process leaves a terminal without one.
  private func emit(_ text: String) {
    // A terminal that went away is no reason to lose the run.
    try? file.writeAll("\u{1B}[?2026h\u{1B}[?25l\(text)\u{1B}[?25h\u{1B}[?2026l")
  }

  /// Without the sequences that `color` puts in.
  static func withoutColor(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    var isInside = false
    for scalar in text.unicodeScalars {
      if scalar == "\u{1B}" { isInside = true }
      if !isInside { result.append(scalar) }
      if isInside, scalar == "m" { isInside = false }
    }
    return String(result)
  }
}

/// The width of the terminal behind a descriptor; nil when there is none.
package func terminalColumns(_ descriptor: Int32) -> Int? {
  var size = winsize()
  guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
  return Int(size.ws_col)
}
