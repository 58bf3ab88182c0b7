// A picture of a size as SVG: a file of its own, or a part of a page.

import System

package protocol Drawing: Sendable {
  /// In pixels; a page may scale it.
  var size: (width: Double, height: Double) { get }
  /// For those who do not see it.
  var description: String { get }
  func draw(into svg: inout Markup)
}

extension Drawing {
  /// Readable alone, in light and in dark.
  package var file: String { markup(style: Markup.pictureStyle) }

  /// For a page that has `Markup.pictureRules` among its own.
  package var part: String { markup(style: nil) }

  private func markup(style: String?) -> String {
    var svg = Markup()
    svg.open(
      "svg",
      [
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("viewBox", "0 0 \(Markup.number(size.width)) \(Markup.number(size.height))"),
        ("width", Markup.number(size.width)), ("height", Markup.number(size.height)), ("role", "img"),
        ("aria-label", description),
      ])
    svg.element("title", [], description)
    if let style { svg.raw(style) }
    draw(into: &svg)
    svg.close("svg")
    return svg.text
  }
}

/// Drawings below each other.
package struct Stack: Drawing {
  private let drawings: [any Drawing]

  package init(_ drawings: [any Drawing]) { self.drawings = drawings }

  package var size: (width: Double, height: Double) {
    (drawings.map(\.size.width).max() ?? 0, drawings.reduce(0) { $0 + $1.size.height })
  }

  package var description: String { drawings.map(\.description).joined(separator: ". ") }

  package func draw(into svg: inout Markup) {
    var y = 0.0
    for drawing in drawings {
      svg.open("g", [("transform", "translate(0 \(Markup.number(y)))")])
      drawing.draw(into: &svg)
      svg.close("g")
      y += drawing.size.height
    }
  }
}

/// Colours that people with any sight tell apart, on white and on black; in this order.
/// Source: Okabe and Ito (2008), black and yellow left out.
enum Palette {
  private static let colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"]

  static func color(_ index: Int) -> String { colors[index % colors.count] }

  /// From the least (0) to the most (1), equally far apart to the eye: seven of viridis.
  private static let scale = ["#440154", "#443983", "#31688e", "#21918c", "#35b779", "#90d743", "#e5c100"]

  static func shade(_ share: Double) -> String {
    scale[min(scale.count - 1, max(0, Int(share * Double(scale.count))))]
  }
}
