// A column's entry for one sample after the other.

import Experiments
import JSON

/// Looks at each row once, where its samples come one after the other.
struct SampleColumnReader {
  private let column: String
  private let table: ColumnTable
  private var last: (row: Int, values: [JSON])?

  init(_ column: String, _ context: StageContext) {
    self.column = column
    table = context.input("rows").columns
  }

  /// - Throws: `InputError` naming the row.
  mutating func entry(of item: RowItem) throws -> JSON {
    if let last, last.row == item.rowIndex { return last.values[item.item] }
    let values = try SampleLists(item.row, table).required(column, of: item.row)
    last = (item.rowIndex, values)
    return values[item.item]
  }
}
