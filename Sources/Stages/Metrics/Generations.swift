// What `evaluate` measures: the rows at one of its inputs, and their generations one by one.

import Experiments
import JSON

package struct Generations {
  /// The file, for errors.
  let path: String
  let rows: [Row]
  let table: ColumnTable
  /// Never empty; `index` is that of the generation in its row.
  let samples: [(row: Row, index: Int, text: String)]

  /// - Throws: `InputError` naming the row and the entry.
  init(_ artifact: Artifact, requiring columns: [String]) throws {
    path = artifact.path
    table = artifact.columns
    rows = try readRows(path, requiring: columns)
    samples = try rows.flatMap { row in
      // Wrong also where no metric reads it.
      _ = try ModelText(promptOf: row)
      return try Self.texts(of: row).enumerated().map { (row, $0, $1) }
    }
    guard !samples.isEmpty else { throw InputError("\(path): there are no generations to evaluate") }
  }

  private static func texts(of row: Row) throws -> [String] {
    let value = row["generations"]
    guard let values = value?.arrayValue else {
      throw InputError(
        "row `\(row.id)`: `generations` is \(value?.kind ?? "missing"); expected a list of strings")
    }
    return try values.enumerated().map { index, value in
      guard let text = value.stringValue else {
        throw InputError("row `\(row.id)`: generation \(index) is \(value.kind); expected a string")
      }
      return text
    }
  }

  /// A number of each generation, row by row, given one for each of `samples`; nil for a generation that has none.
  func byRow(_ values: [Double?]) -> [[Double]] {
    precondition(values.count == samples.count, "\(values.count) values for \(samples.count) generations")
    var rest = values[...]
    return rows.map { row in
      let count = row["generations"]?.arrayValue?.count ?? 0
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count).compactMap { $0 }
    }
  }

  /// The numbers of a column that has one for each generation; null for one that has none.
  /// - Throws: `InputError` naming the row.
  func numbers(in column: String) throws -> [[Double?]] {
    try rows.map { try numberList(of: $0, column, table) }
  }

  /// A column that has one entry for each generation.
  /// - Throws: `InputError` naming the row.
  func entries(in column: String) throws -> [[JSON]] {
    try rows.map { try SampleLists($0, table).required(column, of: $0) }
  }
}
