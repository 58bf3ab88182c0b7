// Curves of what a run's stages report while they run: the loss of a training, drawn before there is a result to draw it from.

import Charts
import Runner
import System

package struct LiveCurves {
  private let curves: [(address: String, unit: String, series: RunNode.Series)]

  private static let mostCurves = 24
  private static let mostPoints = 300

  /// Of those that run.
  package init(_ nodes: [RunNode]) {
    let all = nodes.filter { $0.state == .running }.flatMap { node in
      node.series.map { (address: node.address, unit: node.progress?.unit ?? "", series: $0) }
    }
    curves = Array(all.prefix(Self.mostCurves))
  }

  /// A small picture for each, with the last number as text; empty where nothing is reported.
  package var markup: String {
    var html = Markup()
    for (address, unit, series) in curves {
      let points = Self.condensed(series.points)
      guard let last = series.points.last, !points.isEmpty else { continue }
      let chart = Chart(
        "\(series.name) \(TextTable.number(last.value))", x: unit, y: "", [Chart.Series(series.name, points)])
      html.element("figure") { html in
        html.element("figcaption", [], address)
        html.raw(ChartSVG(chart, width: 360, height: 160).part)
      }
    }
    return html.text
  }

  /// Of many points means of those that follow each other. What no axis can hold is left out.
  private static func condensed(_ points: [(done: Int, value: Double)]) -> [Chart.Point] {
    let points = points.filter { $0.value == 0 || (1e-100...1e100).contains($0.value.magnitude) }
    let count = min(mostPoints, points.count)
    return (0..<count).map { part in
      let range = points[(part * points.count / count)..<((part + 1) * points.count / count)]
      return Chart.Point(
        x: Double(range.last?.done ?? 0), y: range.reduce(0) { $0 + $1.value } / Double(range.count))
    }
  }
}
