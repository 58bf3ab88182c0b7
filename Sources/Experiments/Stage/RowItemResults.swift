// The results of a row stage's items: those that were finished before, and those that it gives.

import JSON

struct RowItemResults {
  /// The stage's name, for messages.
  private let stage: String
  private let rows: ArraySlice<Row>
  /// By row of the slice, then by item.
  private var results: [[JSON?]] = []
  /// Not finished before, in order.
  private(set) var missing: [RowItem] = []
  /// Finished or not.
  private(set) var total = 0

  /// - Parameters:
  ///   - counts: items of each row.
  ///   - finished: results by the row's id and the item.
  init(stage: String, _ rows: ArraySlice<Row>, counts: [Int], finished: [UTF8Key: [Int: JSON]]) {
    self.stage = stage
    self.rows = rows
    results.reserveCapacity(rows.count)
    for (index, count) in zip(rows.indices, counts) {
      let known = finished[UTF8Key(rows[index].id)] ?? [:]
      results.append((0..<count).map { known[$0] })
      for item in 0..<count where known[item] == nil {
        missing.append(RowItem(rowIndex: index, row: rows[index], item: item))
      }
      total += count
    }
  }

  /// - Precondition: the item is one of these.
  /// - Throws: `NotFiniteNumber` for a number that JSON cannot hold.
  func check(_ item: RowItem, _ result: JSON) throws {
    let offset = item.rowIndex - rows.startIndex
    precondition(
      results.indices.contains(offset) && results[offset].indices.contains(item.item),
      "stage `\(stage)` gave item \(item.item) of row \(item.rowIndex), which was not requested")
    try result.requireFiniteNumbers("stage `\(stage)` gave for item \(item.item) of row `\(item.row.id)`")
  }

  /// - Precondition: the item was checked.
  /// - Returns: whether it is the item's first result.
  mutating func record(_ item: RowItem, _ result: JSON) -> Bool {
    let offset = item.rowIndex - rows.startIndex
    let isFirst = results[offset][item.item] == nil
    results[offset][item.item] = result
    return isFirst
  }

  func requireComplete() throws {
    for (row, results) in zip(rows, results) {
      if let item = results.firstIndex(where: { $0 == nil }) {
        throw RowStageError(
          description: "stage `\(stage)` ended without a result for item \(item) of row `\(row.id)`")
      }
    }
  }

  /// In item order.
  func results(ofRow index: Int) -> [JSON] { results[index - rows.startIndex].compactMap { $0 } }
}
