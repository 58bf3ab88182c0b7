// A chart as SVG: readable alone, in a page, on paper, in light and in dark.

import System

/// Lines with a mark at each point where there are few, whiskers of one standard error, a legend where there are several series.
package struct ChartSVG: Sendable {
  private let chart: Chart
  private let width: Double
  private let height: Double

  /// In pixels; a page may scale it.
  package init(_ chart: Chart, width: Int = 640, height: Int = 360) {
    self.chart = chart
    (self.width, self.height) = (Double(width), Double(height))
  }

  /// Colours that people with any sight tell apart, on white and on black; in this order.
  /// Source: Okabe and Ito (2008), black and yellow left out.
  private static let colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"]
  /// A series of more points has no marks.
  private static let mostMarks = 40
  private static let fontSize = 12.0

  package var text: String {
    let xScale = Scale(chart.xs, ticks: max(2, Int(width / 100)))
    let yScale = Scale(chart.ys, ticks: max(2, Int(height / 60)))
    let labels = yScale.ticks.map(yScale.label)
    // A digit is about six tenths of the font's size wide.
    let left = 14 + Double(labels.map(\.count).max() ?? 1) * Self.fontSize * 0.62 + Self.fontSize * 1.4
    let (top, right) = (34.0, 16.0)
    let columns = legendColumns(width - left - right)
    let legend =
      chart.series.count > 1 ? Double((chart.series.count + columns - 1) / columns) * 18 + 6 : 0
    let bottom = 46 + legend
    let plot = (x: left, y: top, width: width - left - right, height: height - top - bottom)
    func x(_ value: Double) -> Double { plot.x + xScale.share(value) * plot.width }
    func y(_ value: Double) -> Double { plot.y + (1 - yScale.share(value)) * plot.height }

    var svg = SVGText()
    svg.open(
      "svg",
      [
        ("xmlns", "http://www.w3.org/2000/svg"), ("viewBox", "0 0 \(number(width)) \(number(height))"),
        ("width", number(width)), ("height", number(height)), ("role", "img"),
        ("aria-label", description),
      ])
    svg.element("title", [], description)
    svg.raw(Self.style)
    svg.element("text", [("x", number(plot.x)), ("y", "20"), ("class", "title")], chart.title)
    for (tick, label) in zip(yScale.ticks, labels) {
      svg.line(plot.x, y(tick), plot.x + plot.width, y(tick), "grid")
      svg.element(
        "text", [("x", number(plot.x - 6)), ("y", number(y(tick) + 4)), ("text-anchor", "end")], label)
    }
    for tick in xScale.ticks {
      svg.line(x(tick), plot.y + plot.height, x(tick), plot.y + plot.height + 4, "axis")
      svg.element(
        "text",
        [("x", number(x(tick))), ("y", number(plot.y + plot.height + 18)), ("text-anchor", "middle")],
        xScale.label(tick))
    }
    svg.line(plot.x, plot.y + plot.height, plot.x + plot.width, plot.y + plot.height, "axis")
    svg.element(
      "text",
      [
        ("x", number(plot.x + plot.width / 2)), ("y", number(plot.y + plot.height + 36)),
        ("text-anchor", "middle"),
      ], chart.xName)
    let middle = plot.y + plot.height / 2
    svg.element(
      "text",
      [
        ("x", "14"), ("y", number(middle)), ("text-anchor", "middle"),
        ("transform", "rotate(-90 14 \(number(middle)))"),
      ], chart.yName)
    for (index, series) in chart.series.enumerated() {
      draw(series, Self.colors[index % Self.colors.count], x, y, &svg)
    }
    if chart.series.count > 1 {
      for (index, series) in chart.series.enumerated() {
        let place = (
          x: plot.x + Double(index % columns) * plot.width / Double(columns),
          y: height - legend + Double(index / columns) * 18 + 12
        )
        let color = Self.colors[index % Self.colors.count]
        svg.element(
          "rect",
          [
            ("x", number(place.x)), ("y", number(place.y - 9)), ("width", "10"), ("height", "10"),
            ("fill", color),
          ], nil)
        svg.element("text", [("x", number(place.x + 16)), ("y", number(place.y))], series.name)
      }
    }
    svg.close("svg")
    return svg.text
  }

  /// Several charts below each other, in one picture.
  package static func page(_ charts: [Chart], width: Int = 640, height: Int = 360) -> String {
    guard charts.count > 1 else {
      return charts.first.map { ChartSVG($0, width: width, height: height).text } ?? ""
    }
    let whole = height * charts.count
    var svg = SVGText()
    svg.open(
      "svg",
      [
        ("xmlns", "http://www.w3.org/2000/svg"), ("viewBox", "0 0 \(width) \(whole)"), ("width", "\(width)"),
        ("height", "\(whole)"), ("role", "img"),
      ])
    for (index, chart) in charts.enumerated() {
      svg.open("g", [("transform", "translate(0 \(index * height))")])
      svg.raw(ChartSVG(chart, width: width, height: height).text)
      svg.close("g")
    }
    svg.close("svg")
    return svg.text
  }

  /// How many names fit beside each other.
  private func legendColumns(_ width: Double) -> Int {
    let longest = Double(chart.series.map { TextTable.width($0.name) }.max() ?? 1)
    return max(1, min(3, Int(width / (longest * Self.fontSize * 0.56 + 30))))
  }

  /// For those who do not see it.
  private var description: String {
    let each = chart.series.map { series -> String in
      let (first, last) = (series.points[0].y, series.points[series.points.count - 1].y)
      return
        "\(series.name): \(series.points.count) points, from \(TextTable.format("%.4g", first)) to \(TextTable.format("%.4g", last))"
    }
    return ([chart.title] + each).joined(separator: "; ")
  }

  private func draw(
    _ series: Chart.Series, _ color: String, _ x: (Double) -> Double, _ y: (Double) -> Double,
    _ svg: inout SVGText
  ) {
    for point in series.points {
      guard let error = point.error, error > 0 else { continue }
      let (low, high) = (y(point.y - error), y(point.y + error))
      svg.element(
        "path",
        [
          (
            "d",
            "M\(number(x(point.x))) \(number(low))V\(number(high))M\(number(x(point.x) - 4)) \(number(low))h8M\(number(x(point.x) - 4)) \(number(high))h8"
          ),
          ("stroke", color), ("fill", "none"),
        ], nil)
    }
    let places = series.points.map { "\(number(x($0.x))),\(number(y($0.y)))" }
    if places.count > 1 {
      svg.element(
        "polyline",
        [
          ("points", places.joined(separator: " ")), ("fill", "none"), ("stroke", color),
          ("stroke-width", "1.8"),
        ], nil)
    }
    guard series.points.count <= Self.mostMarks else { return }
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

  private func number(_ value: Double) -> String {
    let tenths = (value * 10).rounded() / 10
    return tenths == tenths.rounded() ? String(Int(tenths)) : TextTable.format("%.1f", tenths)
  }

  private static let style = """
    <style>text{font:12px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:13px}.grid{stroke:#ddd}.axis{stroke:#888}\
    @media(prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#3a3a3a}.axis{stroke:#888}}</style>

    """
}

/// Elements with their attributes and texts, escaped.
struct SVGText {
  private(set) var text = ""

  mutating func raw(_ markup: String) { text += markup }

  mutating func open(_ name: String, _ attributes: [(String, String)]) {
    text += "<\(name)\(attributes.map { " \($0)=\"\(Self.escaped($1))\"" }.joined())>"
  }

  mutating func close(_ name: String) { text += "</\(name)>\n" }

  mutating func element(_ name: String, _ attributes: [(String, String)], _ content: String?) {
    open(name, attributes)
    text += content.map(Self.escaped) ?? ""
    close(name)
  }

  mutating func line(_ x: Double, _ y: Double, _ toX: Double, _ toY: Double, _ kind: String) {
    func number(_ value: Double) -> String { TextTable.format("%.1f", value) }
    element(
      "line",
      [("x1", number(x)), ("y1", number(y)), ("x2", number(toX)), ("y2", number(toY)), ("class", kind)],
      nil)
  }

  /// What XML 1.0 takes: its five characters by name; control characters, which it has no way to write, as their code in brackets.
  static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
      case "'": result.append(contentsOf: "&#39;".unicodeScalars)
      case "\t", "\n", "\r": result.append(scalar)
      case _ where scalar.value < 0x20 || [0x7F, 0xFFFE, 0xFFFF].contains(scalar.value):
        result.append(contentsOf: "[\(String(scalar.value, radix: 16))]".unicodeScalars)
      // Directions that would turn around what stands beside them.
      case "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}", "\u{200E}", "\u{200F}", "\u{61C}":
        result.append(contentsOf: "[\(String(scalar.value, radix: 16))]".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
