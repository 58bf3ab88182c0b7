// Parts of pictures.

import System

extension Markup {
  static let fontSize = 12.0

  enum Anchor: String { case start, middle, end }

  mutating func label(
    _ content: String, _ x: Double, _ y: Double, _ anchor: Anchor = .start, kind: String? = nil,
    turned: Bool = false
  ) {
    var attributes = [("x", Self.number(x)), ("y", Self.number(y))]
    if anchor != .start { attributes.append(("text-anchor", anchor.rawValue)) }
    if let kind { attributes.append(("class", kind)) }
    if turned { attributes.append(("transform", "rotate(-90 \(Self.number(x)) \(Self.number(y)))")) }
    element("text", attributes, content)
  }

  mutating func line(_ x: Double, _ y: Double, _ toX: Double, _ toY: Double, _ kind: String) {
    element(
      "line",
      [
        ("x1", Self.number(x)), ("y1", Self.number(y)), ("x2", Self.number(toX)), ("y2", Self.number(toY)),
        ("class", kind),
      ])
  }

  /// - Parameter tip: shown where the pointer rests.
  mutating func box(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ attributes: [(String, String)],
    tip: String? = nil
  ) {
    open(
      "rect",
      [
        ("x", Self.number(x)), ("y", Self.number(y)), ("width", Self.number(max(0, width))),
        ("height", Self.number(max(0, height))),
      ] + attributes)
    if let tip { element("title", [], tip) }
    close("rect")
  }

  /// A name beside its colour, for each series, in columns; `y` is that of the first line.
  mutating func legend(_ names: [String], _ x: Double, _ y: Double, width: Double) {
    let columns = Self.legendColumns(names, width)
    for (index, name) in names.enumerated() {
      let left = x + Double(index % columns) * width / Double(columns)
      let line = y + Double(index / columns) * 18
      box(left, line - 9, 10, 10, [("fill", Palette.color(index))])
      label(name, left + 16, line)
    }
  }

  /// The height of a legend; none for a single name.
  static func legendHeight(_ names: [String], width: Double) -> Double {
    guard names.count > 1 else { return 0 }
    let columns = legendColumns(names, width)
    return Double((names.count + columns - 1) / columns) * 18 + 6
  }

  /// How many names fit beside each other.
  private static func legendColumns(_ names: [String], _ width: Double) -> Int {
    max(1, min(3, Int(width / ((names.map(Self.width).max() ?? 0) + 30))))
  }

  /// About how wide a text is in pixels.
  static func width(_ text: String) -> Double { Double(TextTable.width(text)) * fontSize * 0.56 }

  /// Without its end where it is wider than this.
  static func fitted(_ text: String, _ width: Double) -> String {
    guard self.width(text) > width else { return text }
    return String(text.prefix(max(1, Int(width / (fontSize * 0.56)) - 1))) + "…"
  }

  static func number(_ value: Double) -> String {
    let tenths = (value * 10).rounded() / 10
    return tenths == tenths.rounded() ? String(Int(tenths)) : TextTable.format("%.1f", tenths)
  }

  /// What pictures look like, in light and in dark.
  package static let pictureRules = """
    svg text{font:12px system-ui,sans-serif;fill:#222}svg .title{font-weight:600;font-size:13px}svg .quiet{fill:#666}\
    svg .grid{stroke:#ddd}svg .axis{stroke:#888}svg .node{fill:#f4f4f4;stroke:#888}svg .group{fill:none;stroke:#aaa;stroke-dasharray:4 3}\
    svg .edge{fill:none;stroke:#888}svg .carried{fill:none;stroke:#0072b2;stroke-dasharray:5 3}\
    @media(prefers-color-scheme:dark){svg text{fill:#ddd}svg .quiet{fill:#aaa}svg .grid{stroke:#3a3a3a}svg .axis{stroke:#888}\
    svg .node{fill:#262626;stroke:#888}svg .group{stroke:#666}svg .carried{stroke:#56b4e9}}
    """

  static let pictureStyle = "<style>\(pictureRules)</style>\n"
}
