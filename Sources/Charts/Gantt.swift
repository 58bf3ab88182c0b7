// When each piece of work ran, one line below the other.

import System

package struct Gantt: Drawing {
  package struct Bar: Sendable {
    package let name: String
    /// Seconds since the beginning.
    package let start: Double
    package let end: Double
    /// Beside the bar.
    package let note: String
    /// Of the colour: bars of one kind have the same.
    package let kind: Int

    package init(_ name: String, from start: Double, to end: Double, note: String, kind: Int) {
      self.name = name
      (self.start, self.end) = (start, end)
      self.note = note
      self.kind = kind
    }
  }

  private static let lineHeight = 20.0
  /// Seconds between two ticks that people count in.
  private static let steps: [Double] = [
    0.001, 0.01, 0.1, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200,
    86400,
  ]

  private let bars: [Bar]
  private let names: Double
  private let notes: Double
  package let size: (width: Double, height: Double)

  package init(_ bars: [Bar], width: Int = 900) {
    self.bars = bars
    names = min(280, (bars.map { Markup.width($0.name) }.max() ?? 0) + 14)
    notes = (bars.map { Markup.width($0.note) }.max() ?? 0) + 14
    size = (max(Double(width), names + notes + 300), Double(bars.count) * Self.lineHeight + 46)
  }

  package var description: String {
    let longest = bars.max { $0.end - $0.start < $1.end - $1.start }
    return
      "time by stage, \(bars.count) stages\(longest.map { "; the longest is \($0.name), \(duration($0.end - $0.start))" } ?? "")"
  }

  package func draw(into svg: inout Markup) {
    let end = max(bars.map(\.end).max() ?? 1, 1e-3)
    let step = Self.steps.first { end / $0 <= 8 } ?? (end / 8)
    let width = size.width - names - notes
    let floor = Double(bars.count) * Self.lineHeight + 6
    func x(_ seconds: Double) -> Double { names + seconds / end * width }
    for tick in (0...Int(end / step)).map({ Double($0) * step }) {
      svg.line(x(tick), 2, x(tick), floor, "grid")
      svg.label(tick == 0 ? "0" : duration(tick), x(tick), floor + 16, .middle)
    }
    for (index, bar) in bars.enumerated() {
      let y = Double(index) * Self.lineHeight + 4
      svg.label(Markup.fitted(bar.name, names - 10), names - 8, y + 12, .end)
      let length = max(1.5, x(bar.end) - x(bar.start))
      svg.box(
        x(bar.start), y + 2, length, Self.lineHeight - 7, [("fill", Palette.color(bar.kind)), ("rx", "2")],
        tip: "\(bar.name): \(duration(bar.end - bar.start))")
      svg.label(bar.note, x(bar.start) + length + 6, y + 12, kind: "quiet")
    }
    svg.line(names, floor, names + width, floor, "axis")
  }
}
