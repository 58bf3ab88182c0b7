// Each trial of a sweep as a line over axes, one for each parameter and the metric at the right.

import System

package struct ParallelCoordinates: Drawing {
  package struct Axis: Sendable {
    package let name: String
    /// From 0 at the bottom to 1, for each line; nil where it has no value here.
    package let places: [Double?]
    /// What stands at which place.
    package let ticks: [(place: Double, label: String)]

    package init(_ name: String, places: [Double?], ticks: [(place: Double, label: String)]) {
      self.name = name
      self.places = places
      self.ticks = ticks
    }

    /// Of numbers; of few different ones each has a tick, unless they are to be on a linear scale.
    package init(_ name: String, _ values: [Double?], isContinuous: Bool = false) {
      let known = values.compactMap { $0 }.filter(\.isFinite)
      if !isContinuous, Set(known).count <= 6 {
        let sorted = Array(Set(known)).sorted()
        func place(_ value: Double) -> Double? {
          sorted.firstIndex(of: value).map { sorted.count < 2 ? 0.5 : Double($0) / Double(sorted.count - 1) }
        }
        self.init(
          name, places: values.map { $0.flatMap(place) },
          ticks: sorted.compactMap { value in place(value).map { ($0, TextTable.format("%.4g", value)) } })
        return
      }
      let scale = Scale(known, ticks: 5)
      self.init(
        name, places: values.map { $0.map(scale.share) },
        ticks: scale.ticks.map { (scale.share($0), scale.label($0)) })
    }

    /// Of words, at equal distances in the order in which they first appear.
    package init(_ name: String, words: [String?]) {
      var order: [String] = []
      for word in words { if let word, !order.contains(word) { order.append(word) } }
      func place(_ word: String) -> Double? {
        order.firstIndex(of: word).map { order.count < 2 ? 0.5 : Double($0) / Double(order.count - 1) }
      }
      self.init(
        name, places: words.map { $0.flatMap(place) },
        ticks: order.compactMap { word in place(word).map { ($0, word) } })
    }
  }

  private let axes: [Axis]
  private let names: [String]
  private let shades: [Double?]
  package let size: (width: Double, height: Double)

  /// - Parameters:
  ///   - names: of the lines.
  ///   - shades: of each line from the worst (0) to the best (1); nil for one that is not measured.
  package init(_ axes: [Axis], names: [String], shades: [Double?], height: Int = 360) {
    self.axes = axes
    self.names = names
    self.shades = shades
    size = (max(360, Double(axes.count) * 150), Double(height))
  }

  package var description: String {
    "\(names.count) trials over \(axes.map(\.name).joined(separator: ", "))"
  }

  package func draw(into svg: inout Markup) {
    let (top, bottom) = (40.0, size.height - 20)
    let step = (size.width - 150) / Double(max(1, axes.count - 1))
    func x(_ axis: Int) -> Double { 75 + Double(axis) * step }
    func y(_ place: Double) -> Double { bottom - place * (bottom - top) }
    // The best are drawn last, above the others.
    let order = names.indices.sorted { a, b in
      let (x, y) = (shades[a] ?? -1, shades[b] ?? -1)
      return x == y ? a < b : x < y
    }
    for line in order {
      let points = axes.indices.compactMap { axis in
        axes[axis].places[line].map { "\(Markup.number(x(axis))),\(Markup.number(y($0)))" }
      }
      svg.open(
        "polyline",
        [
          ("points", points.joined(separator: " ")), ("fill", "none"),
          ("stroke", shades[line].map(Palette.shade) ?? "#999"), ("stroke-width", "2"),
          ("stroke-opacity", "0.8"),
        ])
      svg.element("title", [], names[line])
      svg.close("polyline")
    }
    for (index, axis) in axes.enumerated() {
      svg.line(x(index), top, x(index), bottom, "axis")
      svg.label(Markup.fitted(axis.name, 140), x(index), 20, .middle, kind: "title")
      let isLast = index == axes.count - 1
      for tick in axis.ticks {
        svg.label(
          Markup.fitted(tick.label, 68), x(index) + (isLast ? 6 : -6), y(tick.place) + 4,
          isLast ? .start : .end)
      }
    }
  }
}
