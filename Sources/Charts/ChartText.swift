// A chart in a terminal: dots of braille, an axis, a legend; of plain characters where there is no terminal.

package struct ChartText: Sendable {
  private let chart: Chart
  private let columns: Int
  private let rows: Int
  private let isPlain: Bool

  /// - Parameters:
  ///   - columns: of the terminal.
  ///   - isPlain: ASCII alone.
  package init(_ chart: Chart, columns: Int, rows: Int = 12, isPlain: Bool) {
    self.chart = chart
    (self.columns, self.rows, self.isPlain) = (max(40, columns), max(4, rows), isPlain)
  }

  /// What marks a series in plain characters, and in the legend of both.
  private static let marks = Array("ox+*#@")
  /// Bits of braille, by column and row of a cell's dots.
  private static let dots: [[UInt32]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]

  package var text: String {
    let yScale = Scale(chart.ys, ticks: max(2, rows / 4))
    let labels = yScale.ticks.map(yScale.label)
    let margin = (labels.map(\.count).max() ?? 0) + 2
    let xScale = Scale(chart.xs, ticks: max(2, (columns - margin) / 14))
    let width = columns - margin - 1
    var cells = [[Character]](repeating: [Character](repeating: " ", count: width), count: rows)
    if isPlain {
      for (index, series) in chart.series.enumerated() {
        for (x, y) in raster(series, xScale, yScale, width: width, height: rows) {
          cells[y][x] = Self.marks[index % Self.marks.count]
        }
      }
    } else {
      var bits = [[UInt32]](repeating: [UInt32](repeating: 0, count: width), count: rows)
      for series in chart.series {
        for (x, y) in raster(series, xScale, yScale, width: width * 2, height: rows * 4) {
          bits[y / 4][x / 2] |= Self.dots[x % 2][y % 4]
        }
      }
      for row in bits.indices {
        for column in bits[row].indices where bits[row][column] != 0 {
          cells[row][column] = Unicode.Scalar(0x2800 + bits[row][column]).map(Character.init) ?? " "
        }
      }
    }
    let (bar, corner, floor) = isPlain ? ("|", "+", "-") : ("│", "└", "─")
    var lines = [chart.title]
    for row in 0..<rows {
      // The tick that lies in this row.
      let label = zip(yScale.ticks, labels).first {
        Int(((1 - yScale.share($0.0)) * Double(rows - 1)).rounded()) == row
      }?.1
      let left = String(repeating: " ", count: margin - 1 - (label?.count ?? 0)) + (label ?? "")
      lines.append(left + bar + String(cells[row]))
    }
    lines.append(String(repeating: " ", count: margin - 1) + corner + String(repeating: floor, count: width))
    lines.append(axis(xScale, margin: margin, width: width))
    if chart.series.count > 1 {
      for (index, series) in chart.series.enumerated() {
        lines.append(
          String(repeating: " ", count: margin) + (isPlain ? "\(Self.marks[index % Self.marks.count]) " : "")
            + series.name)
      }
    }
    return lines.map { line in
      String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }

  /// The labels of the ticks where they fit, and what they count.
  private func axis(_ scale: Scale, margin: Int, width: Int) -> String {
    var line = [Character](repeating: " ", count: margin + width + 1)
    var free = 0
    for tick in scale.ticks {
      let label = Array(scale.label(tick))
      let middle = margin + Int((scale.share(tick) * Double(width - 1)).rounded())
      let start = min(max(0, middle - label.count / 2), line.count - label.count)
      guard start >= free, start >= 0 else { continue }
      for (offset, character) in label.enumerated() { line[start + offset] = character }
      free = start + label.count + 2
    }
    return String(line) + "  \(chart.xName)"
  }

  /// The places of a series' points and of the lines between them, each from the left and from the top.
  private func raster(
    _ series: Chart.Series, _ xScale: Scale, _ yScale: Scale, width: Int, height: Int
  ) -> [(x: Int, y: Int)] {
    let points = series.points.map { point in
      (
        x: Int((xScale.share(point.x) * Double(width - 1)).rounded()),
        y: Int(((1 - yScale.share(point.y)) * Double(height - 1)).rounded())
      )
    }
    guard points.count > 1 else { return points }
    return zip(points, points.dropFirst()).flatMap { a, b in
      let steps = max(abs(b.x - a.x), abs(b.y - a.y), 1)
      return (0...steps).map { step in
        (
          x: a.x + Int((Double(step * (b.x - a.x)) / Double(steps)).rounded()),
          y: a.y + Int((Double(step * (b.y - a.y)) / Double(steps)).rounded())
        )
      }
    }
  }
}
