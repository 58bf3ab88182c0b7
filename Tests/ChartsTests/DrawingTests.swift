// Bars, Gantt charts, graphs and parallel coordinates: each shape where its number is.

import Charts
import Testing

@Suite struct DrawingTests {
  private func boxes(_ svg: String) -> [(x: Double, y: Double, width: Double, height: Double)] {
    svg.matches(of: /<rect x="([0-9.-]+)" y="([0-9.-]+)" width="([0-9.]+)" height="([0-9.]+)"/).map { match in
      let (_, x, y, width, height) = match.output
      return (Double(x) ?? -1, Double(y) ?? -1, Double(width) ?? -1, Double(height) ?? -1)
    }
  }

  @Test func `a bar is as high as its number`() {
    let svg = BarChart(
      "t", x: "", y: "y", categories: ["a", "b", "c"],
      [BarChart.Series("s", [1, 2, nil], errors: [0.1, nil, nil])]
    ).file
    let bars = boxes(svg)
    #expect(bars.count == 2 && abs(bars[1].height - 2 * bars[0].height) < 0.2, "\(bars)")
    #expect(abs(bars[0].y + bars[0].height - bars[1].y - bars[1].height) < 0.2, "both stand on zero")
    #expect(svg.contains("aria-label=\"t; s: a 1, b 2\"") && svg.ranges(of: "h8").count == 2)
  }

  @Test func `negative bars hang from zero`() {
    let bars = boxes(
      BarChart("t", x: "", y: "y", categories: ["a", "b"], [BarChart.Series("s", [-1, 1])]).file)
    #expect(abs(bars[0].y - bars[1].y - bars[1].height) < 0.2 && abs(bars[0].height - bars[1].height) < 0.2)
  }

  @Test func `stacked bars stand on each other`() {
    let series = [BarChart.Series("s", [1]), BarChart.Series("t", [3])]
    let bars = boxes(BarChart("t", x: "", y: "y", categories: ["a"], series, isStacked: true).file)
    #expect(abs(bars[1].y + bars[1].height - bars[0].y) < 0.2 && bars[0].x == bars[1].x, "\(bars)")
    #expect(abs(bars[1].height - 3 * bars[0].height) < 0.4)
  }

  @Test func `each number is in one bin, the greatest too`() {
    let histogram = Histogram([[0, 0.1, 1, .nan], [1, 1]], bins: 10)
    #expect(histogram.counts.map { $0.reduce(0, +) } == [3, 2] && histogram.counts[1][9] == 2)
    #expect(histogram.counts[0][0] == 1 && histogram.counts[0][1] == 1)
    #expect(Histogram([[], []]).counts.allSatisfy { $0.allSatisfy { $0 == 0 } })
    #expect(Histogram([[5, 5]]).counts[0].reduce(0, +) == 2)
  }

  @Test func `bars of time are as long as they took`() {
    let svg = Gantt([
      Gantt.Bar("first", from: 0, to: 10, note: "10 s", kind: 0),
      Gantt.Bar("second", from: 10, to: 40, note: "30 s", kind: 1),
    ]).file
    let bars = boxes(svg)
    #expect(abs(bars[1].width - 3 * bars[0].width) < 0.5 && abs(bars[0].x + bars[0].width - bars[1].x) < 0.2)
    #expect(
      svg.contains("the longest is second, 30 s") && svg.contains(">15 s</text>"), "ticks people count in")
  }

  @Test func `a stage stands to the right of what it needs`() {
    let nodes = ["data", "sample", "train", "judge"].map { GraphDrawing.Node($0, note: "") }
    let svg = GraphDrawing(
      nodes,
      [
        GraphDrawing.Edge(from: 0, to: 1), GraphDrawing.Edge(from: 1, to: 2),
        GraphDrawing.Edge(from: 1, to: 3),
        GraphDrawing.Edge(from: 2, to: 1, isCarried: true),
      ]
    ).file
    let places = boxes(svg)
    #expect(places[0].x < places[1].x && places[1].x < places[2].x && places[2].x == places[3].x)
    #expect(abs(places[2].y - places[3].y) >= places[2].height, "one below the other")
    #expect(svg.ranges(of: "class=\"carried\"").count == 1 && svg.ranges(of: "class=\"edge\"").count == 3)
  }

  @Test(arguments: [0, 1]) func `no stages and no edges are drawn too`(count: Int) {
    #expect(GraphDrawing((0..<count).map { GraphDrawing.Node("\($0)", note: "") }, []).file.contains("<svg"))
    #expect(Gantt([]).file.contains("<svg") && !Gantt([]).file.contains("nan"))
  }

  @Test func `a trial is a line over its axes, the best drawn last`() {
    let svg = ParallelCoordinates(
      [
        ParallelCoordinates.Axis("lr", [1e-4, 1e-3]), ParallelCoordinates.Axis("kind", words: ["a", nil]),
        ParallelCoordinates.Axis("reward", [0.9, 0.1], isContinuous: true),
      ], names: ["trial 1", "trial 2"], shades: [1, 0]
    ).file
    let lines = svg.matches(of: /<polyline points="([^"]+)"/).map { $0.output.1.split(separator: " ").count }
    #expect(lines == [2, 3], "the second trial has no `kind`, and stands below the first")
    #expect(svg.contains(">trial 1</title>") && svg.contains(">0.0001</text>"))
  }

  @Test func `labels of words have equal parts of the width`() {
    let chart = Chart(
      "t", x: "x", y: "y",
      [Chart.Series("s", [Chart.Point(x: 0, y: 1), Chart.Point(x: 1, y: 2)], isJoined: false)],
      xLabels: ["low", "high"])
    let svg = ChartSVG(chart).file
    #expect(!svg.contains("<polyline") && svg.contains(">low</text>") && svg.contains(">high</text>"))
    let places = svg.matches(of: /<circle cx="([0-9.]+)"/).compactMap { Double($0.output.1) }
    #expect(places.count == 2 && places[1] - places[0] > 200)
  }
}
