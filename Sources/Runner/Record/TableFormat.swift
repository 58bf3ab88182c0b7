// A table for people, spreadsheets and papers: the same cells as text, CSV, Markdown and LaTeX.

import System

package enum TableFormat: String, CaseIterable, Sendable {
  case text, csv, md, latex

  /// - Parameter rows: the heading first.
  package func text(_ rows: [[String]]) -> String {
    switch self {
    case .text: TextTable.aligned(rows)
    case .csv: rows.map { $0.map(Self.csv).joined(separator: ",") + "\r\n" }.joined()
    case .md:
      rows.enumerated().map { index, row in
        let line = "| " + row.map(Self.markdown).joined(separator: " | ") + " |\n"
        return index == 0 ? line + "|" + String(repeating: "---|", count: row.count) + "\n" : line
      }.joined()
    case .latex:
      "\\begin{tabular}{l" + String(repeating: "r", count: max(0, (rows.first?.count ?? 1) - 1))
        + "}\n\\toprule\n"
        + rows.enumerated().map { index, row in
          row.map(Self.latex).joined(separator: " & ") + " \\\\\n" + (index == 0 ? "\\midrule\n" : "")
        }.joined() + "\\bottomrule\n\\end{tabular}\n"
    }
  }

  /// RFC 4180.
  private static func csv(_ cell: String) -> String {
    let isPlain = cell.unicodeScalars.allSatisfy { !"\",\r\n".unicodeScalars.contains($0) }
    return isPlain ? cell : "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }

  private static func markdown(_ cell: String) -> String {
    TerminalText.escaped(cell).replacing("\\", with: "\\\\").replacing("|", with: "\\|")
      .replacing("<", with: "&lt;")
  }

  /// With `booktabs`.
  private static func latex(_ cell: String) -> String {
    TerminalText.escaped(cell).unicodeScalars.map { scalar in
      switch scalar {
      case "\\": "\\textbackslash{}"
      case "~": "\\textasciitilde{}"
      case "^": "\\textasciicircum{}"
      case "±": "$\\pm$"
      case "-": "{-}"
      case "&", "%", "$", "#", "_", "{", "}": "\\\(scalar)"
      default: String(scalar)
      }
    }.joined()
  }
}
