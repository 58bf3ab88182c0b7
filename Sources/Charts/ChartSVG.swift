// A chart of lines or points as SVG.

import System

/// Lines with a mark at each point where there are few, whiskers of one standard error, a legend where there are several series.
package struct ChartSVG: Drawing {
  private let chart: Chart
  package let size: (width: Double, height: Double)

  package init(_ chart: Chart, width: Int = 640, height: Int = 360) {
    self.chart = chart
    size = (Double(width), Double(height))
  }

  /// A series of more points has no marks.
  private static let mostMarks = 40

  package func draw(into svg: inout Markup) {
    let names = chart.series.map(\.name)
    let yScale = Scale(chart.ys, ticks: max(2, Int(size.height / 60)))
    let margin = Margin(yScale, names: names, size)
    let xScale = Scale(chart.xs, ticks: max(2, Int(size.width / 100)))
    func x(_ value: Double) -> Double {
      // Labels have equal parts of the width, and stand in their middles.
      let share = chart.xLabels.map { (value + 0.5) / Double(max(1, $0.count)) } ?? xScale.share(value)
      return margin.left + share * margin.width
    }
    svg.label(Markup.fitted(chart.title, size.width - margin.left - 8), margin.left, 20, kind: "title")
    margin.draw(yScale, named: chart.yName, into: &svg)
    let floor = margin.top + margin.height
    let ticks =
      chart.xLabels.map { $0.enumerated().map { (Double($0), $1) } }
      ?? xScale.ticks.map { ($0, xScale.label($0)) }
    for (tick, label) in ticks {
      svg.line(x(tick), floor, x(tick), floor + 4, "axis")
      // Where the last one is long, it ends with the picture.
      svg.label(label, min(x(tick), size.width - Markup.width(label) / 2 - 2), floor + 18, .middle)
    }
    svg.label(chart.xName, margin.left + margin.width / 2, floor + 36, .middle)
    for (index, series) in chart.series.enumerated() {
      draw(series, Palette.color(index), x, { margin.y(yScale.share($0)) }, &svg)
    }
    if names.count > 1 {
      svg.legend(names, margin.left, size.height - margin.legend + 12, width: margin.width)
    }
  }

  package var description: String {
    let each = chart.series.map { series -> String in
      let (first, last) = (series.points[0].y, series.points[series.points.count - 1].y)
      return
        "\(series.name): \(series.points.count) points, from \(TextTable.format("%.4g", first)) to \(TextTable.format("%.4g", last))"
    }
    return ([chart.title] + each).joined(separator: "; ")
  }

  private func draw(
    _ series: Chart.Series, _ color: String, _ x: (Double) -> Double, _ y: (Double) -> Double,
    _ svg: inout Markup
  ) {
    let number = Markup.number
    for point in series.points {
      guard let error = point.error, error > 0 else { continue }
      svg.whisker(x(point.x), y(point.y - error), y(point.y + error), color)
    }
    let places = series.points.map { "\(number(x($0.x))),\(number(y($0.y)))" }
    if places.count > 1, series.isJoined {
      svg.element(
        "polyline",
        [
          ("points", places.joined(separator: " ")), ("fill", "none"), ("stroke", color),
          ("stroke-width", "1.8"),
        ])
    }
    guard series.points.count <= Self.mostMarks || !series.isJoined else { return }
    for point in series.points {
      let error = point.error.map { " ± \(TextTable.format("%.3g", $0))" } ?? ""
      svg.open(
        "circle",
        [("cx", number(x(point.x))), ("cy", number(y(point.y))), ("r", "3.4"), ("fill", color)])
      svg.element(
        "title", [],
        "\(series.name), \(chart.xName) \(TextTable.format("%.6g", point.x)): \(TextTable.format("%.4g", point.y))\(error)"
      )
      svg.close("circle")
    }
  }
}

/// The frame around what is drawn: its place, and the axis of numbers on its left.
struct Margin {
  let top = 34.0
  let left: Double
  let width: Double
  let height: Double
  let legend: Double

  /// - Parameter names: of series, for the legend at the bottom.
  init(_ scale: Scale, names: [String], _ size: (width: Double, height: Double)) {
    let longest = scale.ticks.map { Markup.width(scale.label($0)) }.max() ?? 0
    left = 18 + longest * 1.1 + Markup.fontSize * 1.4
    width = size.width - left - 16
    legend = Markup.legendHeight(names, width: width)
    height = size.height - top - 46 - legend
  }

  func y(_ share: Double) -> Double { top + (1 - share) * height }

  func draw(_ scale: Scale, named name: String, into svg: inout Markup) {
    for tick in scale.ticks {
      let y = y(scale.share(tick))
      svg.line(left, y, left + width, y, "grid")
      svg.label(scale.label(tick), left - 6, y + 4, .end)
    }
    svg.line(left, top + height, left + width, top + height, "axis")
    svg.label(Markup.fitted(name, height), 14, top + height / 2, .middle, turned: true)
  }
}

extension Markup {
  /// One standard error up and down.
  mutating func whisker(_ x: Double, _ low: Double, _ high: Double, _ color: String) {
    let number = Self.number
    element(
      "path",
      [
        (
          "d",
          "M\(number(x)) \(number(low))V\(number(high))M\(number(x - 4)) \(number(low))h8M\(number(x - 4)) \(number(high))h8"
        ),
        ("stroke", color), ("fill", "none"),
      ])
  }
}
