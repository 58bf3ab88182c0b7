// Numbers and columns as a terminal shows them.

import Glibc

package enum TextTable {
  /// Lines of aligned columns, two spaces apart: the first to the left, the others to the right. Cells are escaped.
  package static func aligned(_ rows: [[String]]) -> String {
    let rows = rows.map { $0.map { TerminalText.escaped($0) } }
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in rows.map { column < $0.count ? width($0[column]) : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let space = String(repeating: " ", count: max(0, widths[column] - width(cell)))
        line += column == 0 ? cell + space : "  " + space + cell
      }
      return withoutTrailingSpaces(line) + "\n"
    }.joined()
  }

  /// Without the columns for which so many columns of a terminal are too few, in the order in which they are given up.
  package static func fitting(_ rows: [[String]], to columns: Int, dropping order: [Int]) -> (
    rows: [[String]], dropped: [Int]
  ) {
    var widths: [Int: Int] = [:]
    for row in rows {
      for (column, cell) in row.enumerated() {
        widths[column] = max(widths[column] ?? 0, width(TerminalText.escaped(cell)))
      }
    }
    var dropped: Set<Int> = []
    for column in order {
      let kept = widths.filter { !dropped.contains($0.key) }
      if kept.values.reduce(0, +) + 2 * max(0, kept.count - 1) <= columns { break }
      dropped.insert(column)
    }
    return (
      rows.map { row in row.indices.filter { !dropped.contains($0) }.map { row[$0] } }, dropped.sorted()
    )
  }

  /// Columns on a terminal.
  package static func width(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + TerminalText.width($1) }
  }

  package static func padded(_ text: String, to columns: Int) -> String {
    text + String(repeating: " ", count: max(0, columns - width(text)))
  }

  /// What the padding of a line's last column leaves at its end.
  package static func withoutTrailingSpaces(_ line: String) -> String {
    var line = line
    while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
    return line
  }

  /// Four significant digits: `0.4310`, `12.34`, `1.200e-07`; whole above a thousand, up to a milliard.
  package static func number(_ value: Double) -> String {
    let isWhole = value.magnitude >= 999.95 && value.magnitude < 1e9
    return format(isWhole ? "%.0f" : value == 0 ? "%.0f" : "%#.4g", value)
  }

  /// `1,234,567`, of a count.
  package static func grouped(_ count: Int) -> String {
    var digits = Array("\(count)")
    for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
    return String(digits)
  }

  package static func format(_ pattern: String, _ value: Double) -> String {
    var buffer = [CChar](repeating: 0, count: 64)
    let count = withVaList([value]) { vsnprintf(&buffer, buffer.count, pattern, $0) }
    return String(
      decoding: buffer.prefix(max(0, min(Int(count), buffer.count - 1))).map { UInt8(bitPattern: $0) },
      as: UTF8.self)
  }
}
