// A table as wide as a terminal: columns of equal lines, long cells cut.

package struct FittedTable {
  private let titles: [String]
  private let isNumber: [Bool]
  private let widths: [Int]

  /// A column takes no less than this, unless its cells do.
  private static let leastWidth = 12
  private static let gap = "  "

  /// Widths that suit these rows, which may be the first of many; nil where the columns do not fit.
  /// - Parameter isNumber: of each column, whether it stands to the right.
  package init?(titles: [String], rows: [[String]], isNumber: [Bool], columns: Int) {
    let natural = titles.indices.map { column in
      ([titles[column]] + rows.map { $0[column] }).map {
        TextTable.width(TerminalText.line($0, columns: columns))
      }.max() ?? 0
    }
    let room = columns - Self.gap.utf8.count * max(0, titles.count - 1)
    // The widest are cut to one width, the largest with which all fit.
    var most = natural.max() ?? 0
    while most > 0, natural.reduce(0, { $0 + min($1, most) }) > room { most -= 1 }
    guard natural.allSatisfy({ $0 <= most || most >= Self.leastWidth }) else { return nil }
    self.titles = titles
    self.isNumber = isNumber
    widths = natural.map { min($0, most) }
  }

  package var heading: String { line(titles) }

  /// With a line end. Cells are escaped.
  package func line(_ cells: [String]) -> String {
    let fields = widths.indices.map { column in
      let cell = TerminalText.line(cells[column], columns: widths[column])
      let space = String(repeating: " ", count: max(0, widths[column] - TextTable.width(cell)))
      return isNumber[column] ? space + cell : cell + space
    }
    let line = fields.joined(separator: Self.gap)
    return TextTable.withoutTrailingSpaces(line) + "\n"
  }
}
