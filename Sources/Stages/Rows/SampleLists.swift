// A row's samples: parallel lists, one entry for every generation of its prompt.

import Experiments
import JSON

/// Columns that hold one entry for each generation wherever rows with `generations` come from, unless they are declared otherwise.
package let usualSampleColumns = [
  "generations", "tokens", "lengths", "finished", "finish", "conditioning", "log_probabilities", "entropies",
  "sampling_log_probabilities", "rewards", "preferences", "quantiles", "feedbacks", "scores", "analysis",
]

/// One row's parallel lists, checked to be lists of one length. Which columns these are is said by the table of their artifact.
package struct SampleLists {
  package let count: Int
  private let lists: [(name: String, list: RowList)]

  /// - Throws: `InputError` naming the row when `generations` is missing, or a column of the table is no list with an entry for each.
  package init(_ row: Row, _ table: ColumnTable) throws {
    var lists: [(name: String, list: RowList)] = []
    for name in table.samples where row.has(name) {
      guard let list = row.list(name) else {
        throw InputError(
          "row `\(row.id)`: column `\(name)` is \(row[name]?.kind ?? "missing"); expected a list, one entry per generation"
        )
      }
      lists.append((name, list))
    }
    guard let generations = lists.first(where: { $0.name == "generations" }) else {
      throw InputError(
        !row.has("generations")
          ? "row `\(row.id)`: no column `generations`"
          : "row `\(row.id)`: `generations` is not declared to hold one entry per sample where the rows are made"
      )
    }
    for (name, list) in lists where list.count != generations.list.count {
      throw InputError(
        "row `\(row.id)`: column `\(name)` has \(list.count) entries, but there are \(generations.list.count) generations"
      )
    }
    self.count = generations.list.count
    self.lists = lists
  }

  /// The entries of a list, read where they still are text.
  package subscript(name: String) -> [JSON]? { list(name)?.values }

  func list(_ name: String) -> RowList? { lists.first { $0.name == name }?.list }

  /// A list that a stage reads.
  func required(_ name: String, of row: Row) throws -> [JSON] {
    if let values = self[name] { return values }
    throw InputError(
      !row.has(name)
        ? "row `\(row.id)`: no column `\(name)`"
        : "row `\(row.id)`: column `\(name)` belongs to the row; expected one entry per generation, declared so where "
          + "the rows are made (`samples` of `data`, `per: sample` of `command`)")
  }

  /// The row with these samples only, in this order, in every parallel list.
  func selecting(_ indices: [Int], in row: Row) -> Row {
    if indices.elementsEqual(0..<count) { return row }
    var result = row
    for (name, list) in lists { result.set(list.selecting(indices), as: name) }
    return result
  }
}

extension Row {
  /// How many samples it has.
  /// - Throws: `InputError` naming the row.
  func generationCount() throws -> Int {
    guard let generations = self["generations"]?.arrayValue else {
      throw InputError("row `\(id)`: `generations` is not a list")
    }
    return generations.count
  }
}

/// A row's rewards; null means that scoring the sample failed.
func rewardList(of row: Row, _ table: ColumnTable) throws -> [Double?] {
  try numberList(of: row, "rewards", table)
}

/// A column with a finite number for each of a row's samples, or null.
/// - Throws: `InputError` naming the row.
package func numberList(of row: Row, _ column: String, _ table: ColumnTable) throws -> [Double?] {
  try SampleLists(row, table).required(column, of: row).enumerated().map { index, value in
    if value.isNull { return nil }
    guard let number = value.doubleValue, number.isFinite else {
      let entry = column == "rewards" ? "reward \(index)" : "entry \(index) of `\(column)`"
      throw InputError("row `\(row.id)`: \(entry) is \(value.kind); expected a finite number or null")
    }
    return number
  }
}
