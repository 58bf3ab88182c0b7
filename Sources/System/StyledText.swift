// Text of several styles, wrapped for a terminal.

package struct StyledText: Sendable {
  private var pieces: [(text: String, style: TerminalStyle?)] = []

  package init() {}

  /// - Parameter text: escaped, without line breaks.
  package mutating func append(_ text: String, _ style: TerminalStyle? = nil) {
    pieces.append((text, style))
  }

  /// Text that is not broken at its spaces. They are written as NUL until lines are made, which no escaped text has.
  package static func unbroken(_ text: String) -> String { text.replacing(" ", with: "\0") }

  private static func withSpaces(_ text: String) -> String { text.replacing("\0", with: " ") }

  /// Broken as `TextTable.wrapped` breaks it.
  package func wrapped(to columns: Int, isColored: Bool) -> [String] {
    let lines = TextTable.wrapped(pieces.map(\.text).joined(), to: columns)
    guard isColored else { return lines.map(Self.withSpaces) }
    let scalars = pieces.flatMap { piece in piece.text.unicodeScalars.map { ($0, piece.style) } }
    var place = 0
    return lines.map { line in
      var result = ""
      var run = ""
      var runStyle: TerminalStyle?
      func end() {
        result += runStyle?.applied(to: Self.withSpaces(run)) ?? Self.withSpaces(run)
        run = ""
      }
      for scalar in line.unicodeScalars {
        // Spaces at which lines are broken are in no line.
        while place < scalars.count, scalars[place].0 != scalar { place += 1 }
        let style = place < scalars.count ? scalars[place].1 : nil
        place += 1
        if style != runStyle {
          end()
          runStyle = style
        }
        run.unicodeScalars.append(scalar)
      }
      end()
      return result
    }
  }
}
