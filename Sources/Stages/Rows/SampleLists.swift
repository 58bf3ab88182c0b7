// A row's samples: parallel lists, one entry for every generation of its prompt.

import JSON
import Runner

/// Columns that hold one entry for each generation wherever rows with `generations` come from, unless they are declared otherwise.
package let usualSampleColumns = [
  "generations", "tokens", "lengths", "finished", "finish", "conditioning", "log_probabilities", "entropies",
  "sampling_log_probabilities", "rewards", "quantiles", "feedbacks", "scores", "analysis",
]

/// One row's parallel lists, checked to be lists of one length. Which columns these are is said by the table of their artifact.
package struct SampleLists {
  package let count: Int
  package private(set) var lists: [(name: String, values: [JSON])]

  /// - Throws: `InputError` naming the row when `generations` is missing, or a column of the table is no list with an entry for each.
  package init(_ row: Row, _ table: ColumnTable) throws {
    var lists: [(name: String, values: [JSON])] = []
    for name in table.samples {
      guard let value = row[name] else { continue }
      guard let values = value.arrayValue else {
        throw InputError(
          "row `\(row.id)`: column `\(name)` is \(value.kind); expected a list, one entry per generation")
      }
      lists.append((name, values))
    }
    guard let generations = lists.first(where: { $0.name == "generations" }) else {
      throw InputError(
        row["generations"] == nil
          ? "row `\(row.id)`: no column `generations`"
          : "row `\(row.id)`: `generations` is not declared to hold one entry per sample where the rows are made"
      )
    }
    for list in lists where list.values.count != generations.values.count {
      throw InputError(
        "row `\(row.id)`: column `\(list.name)` has \(list.values.count) entries, but there are "
          + "\(generations.values.count) generations")
    }
    self.count = generations.values.count
    self.lists = lists
  }

  package subscript(name: String) -> [JSON]? { lists.first { $0.name == name }?.values }

  /// A list that a stage reads.
  func required(_ name: String, of row: Row) throws -> [JSON] {
    if let values = self[name] { return values }
    throw InputError(
      row[name] == nil
        ? "row `\(row.id)`: no column `\(name)`"
        : "row `\(row.id)`: column `\(name)` belongs to the row; expected one entry per generation, declared so where "
          + "the rows are made (`samples` of `data`, `per: sample` of `command`)")
  }

  /// The row with these samples only, in this order, in every parallel list.
  func selecting(_ indices: [Int], in row: Row) -> Row {
    var result = row
    for list in lists { result[list.name] = .array(indices.map { list.values[$0] }) }
    return result
  }
}

/// A row's rewards; null means that scoring the sample failed.
func rewardList(of row: Row, _ table: ColumnTable) throws -> [Double?] {
  try SampleLists(row, table).required("rewards", of: row).enumerated().map { index, value in
    if value.isNull { return nil }
    guard let number = value.doubleValue, number.isFinite else {
      throw InputError("row `\(row.id)`: reward \(index) is \(value.kind); expected a finite number or null")
    }
    return number
  }
}
