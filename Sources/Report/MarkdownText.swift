// Text from a model or a file in Markdown: what Markdown or a terminal would read as a sign of its own is escaped.

import System

package enum MarkdownText {
  /// Of a table; line breaks are `<br>`.
  package static func cell(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "<br>"
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\\", "`", "*", "_", "~", "[", "]", "|", "$", "#", "@": result += "\\\(scalar)"
      default: result += TerminalText.escaped(String(scalar))
      }
    }
    return result
  }

  /// A row of a table, its cells as they are.
  package static func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }

  package static func heading(_ cells: [String]) -> String {
    row(cells) + "|" + String(repeating: "---|", count: cells.count) + "\n"
  }
}
