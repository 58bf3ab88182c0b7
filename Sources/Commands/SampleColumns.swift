// The columns of rows that hold a number for each sample.

import JSON
import Runner
import Stages

enum SampleColumns {
  /// Numbers that order samples and measure nothing.
  static let places = ["quantiles", "added"]

  /// Those of `table` with a number for each sample that has a value, in the order in which they were declared.
  /// - Throws: `InputError` naming a row whose lists are of different lengths.
  static func numeric(of rows: [Row], _ table: ColumnTable) throws -> [String] {
    try table.samples.filter { name in
      if places.contains(where: { UTF8Key($0) == UTF8Key(name) }) { return false }
      return try hasNumbers(name, rows, table)
    }
  }

  private static func hasNumbers(_ column: String, _ rows: [Row], _ table: ColumnTable) throws -> Bool {
    var hasNumber = false
    for row in rows where row.has(column) {
      for value in try SampleLists(row, table)[column] ?? [] where !value.isNull {
        guard value.doubleValue?.isFinite == true else { return false }
        hasNumber = true
      }
    }
    return hasNumber
  }
}
