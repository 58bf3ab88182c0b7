// What is drawn: series of points with what is known of their error.

package struct Chart: Sendable {
  package struct Point: Sendable, Equatable {
    package let x: Double
    package let y: Double
    /// Of y; nil where nothing is known.
    package let error: Double?

    package init(x: Double, y: Double, error: Double? = nil) {
      self.x = x
      self.y = y
      self.error = error
    }
  }

  package struct Series: Sendable {
    package let name: String
    /// By x.
    package let points: [Point]
    /// Whether a line goes through its points.
    package let isJoined: Bool

    /// Points that are not finite are left out.
    package init(_ name: String, _ points: [Point], isJoined: Bool = true) {
      self.name = name
      self.isJoined = isJoined
      self.points = points.filter { $0.x.isFinite && $0.y.isFinite }.sorted { $0.x < $1.x }
    }
  }

  package let title: String
  package let xName: String
  package let yName: String
  package let series: [Series]
  /// What stands at x = 0, 1, 2 and so on, where that is no number.
  package let xLabels: [String]?

  /// Series without points are left out.
  package init(
    _ title: String, x: String, y: String, _ series: [Series], xLabels: [String]? = nil
  ) {
    self.title = title
    self.xLabels = xLabels
    (xName, yName) = (x, y)
    self.series = series.filter { !$0.points.isEmpty }
  }

  package var isEmpty: Bool { series.isEmpty }

  var xs: [Double] { series.flatMap { $0.points.map(\.x) } }

  /// With the ends of the errors.
  var ys: [Double] {
    series.flatMap { series in
      series.points.flatMap { [$0.y - ($0.error ?? 0), $0.y + ($0.error ?? 0)] }
    }
  }
}
