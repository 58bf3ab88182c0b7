// Charts as text and as SVG: what a reader would see, and that no name becomes markup.

import Charts
import Testing

@Suite struct ChartTests {
  private static let rising = Chart(
    "reward", x: "iteration", y: "reward",
    [
      Chart.Series("quark", (0...4).map { Chart.Point(x: Double($0), y: Double($0 * $0), error: 1) }),
      Chart.Series("alt", (0...4).map { Chart.Point(x: Double($0), y: 16 - Double($0)) }),
    ])

  @Test func `plain characters stand where the points are`() {
    let lines = ChartText(Self.rising, columns: 60, rows: 10, isPlain: true).text.split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "reward")
    // The highest mark of `alt` is at the left, that of `quark` at the right.
    let first = lines.dropFirst().first { $0.contains("x") }.map(String.init) ?? ""
    #expect(
      first.firstIndex(of: "x").map { first.distance(from: first.startIndex, to: $0) } ?? 99 < 10, "\(first)")
    let top = lines.dropFirst().first { $0.contains("o") }.map(String.init) ?? ""
    #expect(top.last == "o", "\(top)")
    #expect(lines.contains { $0.hasSuffix("  iteration") } && lines.contains { $0.hasSuffix("o quark") })
    #expect(lines.allSatisfy { $0.count <= 75 && $0.unicodeScalars.allSatisfy(\.isASCII) })
  }

  @Test func `in a terminal the lines are of braille`() {
    let text = ChartText(Self.rising, columns: 80, isPlain: false).text
    #expect(text.unicodeScalars.contains { (0x2801...0x28FF).contains($0.value) } && text.contains("│"))
  }

  @Test func `the picture has a line, marks, whiskers and a legend, and says what it shows`() {
    let svg = ChartSVG(Self.rising).file
    #expect(svg.components(of: "<polyline") == 2 && svg.components(of: "<circle") == 10)
    #expect(
      svg.contains("aria-label=\"reward; quark: 5 points, from 0 to 16; alt: 5 points, from 16 to 12\""))
    #expect(svg.contains("prefers-color-scheme:dark") && svg.contains(">quark</text>"))
    #expect(!svg.contains("nan") && !svg.contains("inf"))
    let page = Stack([ChartSVG(Self.rising), ChartSVG(Self.rising)]).file
    #expect(page.components(of: "<svg") == 1 && page.contains("translate(0 360)"))
  }

  @Test func `long names stand below each other`() {
    let name = String(repeating: "long name ", count: 6)
    let svg = ChartSVG(
      Chart(
        "t", x: "x", y: "y", (1...3).map { Chart.Series("\(name)\($0)", [Chart.Point(x: 1, y: Double($0))]) })
    ).file
    let places = svg.matches(of: /<rect x="([0-9.]+)" y="([0-9.]+)"/).map { ($0.output.1, $0.output.2) }
    #expect(places.count == 3 && Set(places.map(\.0)).count == 1 && Set(places.map(\.1)).count == 3)
    #expect(places.allSatisfy { (Double($0.1) ?? 999) + 10 <= 360 })
  }

  @Test func `a hostile name stays a text`() {
    let name = "<script>alert('x')</script> & \"q\" \u{202E}\u{1B}[2J\u{0}"
    let svg = ChartSVG(
      Chart(
        name, x: name, y: name, [Chart.Series(name, [Chart.Point(x: 1, y: .nan), Chart.Point(x: 1, y: 2)])])
    ).file
    #expect(!svg.contains("<script") && svg.contains("&lt;script&gt;alert(&#39;x&#39;)"))
    #expect(!svg.contains("\u{202E}") && !svg.contains("\u{1B}") && !svg.contains("\u{0}"))
  }

  @Test(arguments: [
    ([1.0, 2, 3, 4], "▁▃▆█"), ([2, 2, 2], "▄▄▄"), ([1], ""), ([], ""), ([.nan, 1, 2], "▁█"),
    ([3, 1], "█▁"),
  ]) func `a curve in a word`(_ values: [Double], _ text: String) {
    #expect(Sparkline.text(values) == text)
  }

  @Test func `a long curve has as many blocks as there are columns`() {
    let text = Sparkline.text((0..<1000).map(Double.init), columns: 8)
    #expect(text == "▁▂▃▄▅▆▇█")
  }
}

extension String {
  fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
