// Numbers by category as bars beside each other.

import System

package struct BarChart: Drawing {
  package struct Series: Sendable {
    package let name: String
    /// One for each category; nil where there is none.
    package let values: [Double?]
    /// Standard errors, where they are known.
    package let errors: [Double?]

    package init(_ name: String, _ values: [Double?], errors: [Double?] = []) {
      self.name = name
      self.values = values
      self.errors = errors
    }
  }

  private let title: String
  private let xName: String
  private let yName: String
  private let categories: [String]
  private let series: [Series]
  private let isStacked: Bool
  package let size: (width: Double, height: Double)

  /// Bars stand on zero, those of several series beside each other.
  /// - Parameter isStacked: whether they stand on each other instead; for numbers that are not negative.
  package init(
    _ title: String, x: String, y: String, categories: [String], _ series: [Series], isStacked: Bool = false,
    width: Int = 640, height: Int = 360
  ) {
    self.isStacked = isStacked
    (self.title, xName, yName) = (title, x, y)
    self.categories = categories
    self.series = series
    size = (Double(width), Double(height))
  }

  package var description: String {
    let each = series.map { series in
      let values = zip(categories, series.values).compactMap { name, value in
        value.map { "\(name) \(TextTable.format("%.4g", $0))" }
      }
      return "\(series.name): \(values.count > 24 ? "\(values.count) bars" : values.joined(separator: ", "))"
    }
    return ([title] + each).joined(separator: "; ")
  }

  package func draw(into svg: inout Markup) {
    let names = series.map(\.name)
    let sums = categories.indices.map { place in
      series.reduce(0.0) { $0 + ($1.values[place] ?? 0) }
    }
    let ends =
      isStacked
      ? sums
      : series.flatMap { series in
        series.values.indices.compactMap { index -> [Double]? in
          guard let value = series.values[index] else { return nil }
          let error = series.errors.indices.contains(index) ? series.errors[index] ?? 0 : 0
          return [value - error, value + error]
        }.joined()
      }
    let scale = Scale(ends + [0], ticks: max(2, Int(size.height / 60)))
    let margin = Margin(scale, names: names, size)
    svg.label(Markup.fitted(title, size.width - margin.left - 8), margin.left, 20, kind: "title")
    margin.draw(scale, named: yName, into: &svg)
    let step = margin.width / Double(max(1, categories.count))
    let bar = step * 0.8 / Double(isStacked ? 1 : max(1, series.count))
    var floors = [Double](repeating: 0, count: categories.count)
    let zero = margin.y(scale.share(0))
    for (index, series) in series.enumerated() {
      let color = Palette.color(index)
      for (place, value) in series.values.enumerated() {
        guard let value, value.isFinite else { continue }
        let x = margin.left + step * (Double(place) + 0.1) + (isStacked ? 0 : bar * Double(index))
        let floor = isStacked ? margin.y(scale.share(floors[place])) : zero
        if isStacked { floors[place] += value }
        let y = margin.y(scale.share(isStacked ? floors[place] : value))
        svg.box(
          x, min(y, floor), bar, abs(floor - y), [("fill", color)],
          tip: "\(series.name), \(categories[place]): \(TextTable.format("%.4g", value))")
        if series.errors.indices.contains(place), let error = series.errors[place], error > 0 {
          svg.whisker(
            x + bar / 2, margin.y(scale.share(value - error)), margin.y(scale.share(value + error)), color)
        }
      }
    }
    // As many names as fit.
    let widest = (categories.map(Markup.width).max() ?? 0) + 10
    let every = max(1, Int((widest / step).rounded(.up)))
    for (place, name) in categories.enumerated() where place % every == 0 {
      svg.label(
        Markup.fitted(name, step * Double(every)), margin.left + step * (Double(place) + 0.5),
        margin.top + margin.height + 18, .middle)
    }
    svg.label(xName, margin.left + margin.width / 2, margin.top + margin.height + 36, .middle)
    if names.count > 1 {
      svg.legend(names, margin.left, size.height - margin.legend + 12, width: margin.width)
    }
  }
}

/// How often numbers fall into bins of equal width, which several lists share.
package struct Histogram: Sendable {
  /// The middle of each bin, as a label.
  package let bins: [String]
  /// By list: how many of its numbers are in each bin.
  package let counts: [[Double]]

  /// - Parameter lists: numbers that are not finite are left out.
  package init(_ lists: [[Double]], bins count: Int = 20) {
    let finite = lists.map { $0.filter(\.isFinite) }
    let scale = Scale(finite.flatMap { $0 }, ticks: 4)
    let width = (scale.most - scale.least) / Double(count)
    bins = (0..<count).map { bin in
      TextTable.format("%.3g", scale.least + (Double(bin) + 0.5) * width)
    }
    counts = finite.map { list in
      var counts = [Double](repeating: 0, count: count)
      for value in list { counts[min(count - 1, Int((value - scale.least) / width))] += 1 }
      return counts
    }
  }
}
