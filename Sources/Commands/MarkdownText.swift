// Text from a model or a file as a cell of a Markdown table: what Markdown or a terminal would read as a sign of its own is escaped.

import System

enum MarkdownText {
  /// Line breaks are `<br>`.
  static func cell(_ text: String) -> String {
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
  static func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }

  static func heading(_ cells: [String]) -> String {
    row(cells) + "|" + String(repeating: "---|", count: cells.count) + "\n"
  }
}
