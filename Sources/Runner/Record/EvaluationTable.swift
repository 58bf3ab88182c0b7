// What a run's evaluations measured: one row for each stage whose metrics are plain numbers, in the order of the plan.

import JSON
import System

package struct EvaluationTable: Sendable {
  /// In the order in which they first appear.
  package let columns: [String]
  package let rows: [(address: String, values: JSONObject)]

  /// Nodes without a record, and those that report series, such as training, have no row.
  package init(of plan: Plan, records: [Int: NodeRecord], store: Store) throws {
    var columns: [String] = []
    var seen: Set<UTF8Key> = []
    var rows: [(address: String, values: JSONObject)] = []
    for node in plan.nodes {
      for output in records[node.index]?.outputs ?? [] where output.type == .metrics {
        let json = try JSON(parsing: try File.read(try store.readingPath(output)))
        guard let values = json.objectValue, !values.members.isEmpty,
          values.members.allSatisfy({ $0.value.isNull || $0.value.doubleValue != nil })
        else { continue }
        for key in values.keys where seen.insert(UTF8Key(key)).inserted { columns.append(key) }
        rows.append((node.address, values))
      }
    }
    self.columns = columns
    self.rows = rows
  }

  /// As the run's folder has it; empty where it has none yet.
  package init(of run: RunSummary) {
    let bytes = try? File.read("\(run.path)/evaluations.json")
    self.init(json: bytes.flatMap { try? JSON(parsing: $0) } ?? .null)
  }

  private init(json: JSON) {
    var (columns, seen): ([String], Set<UTF8Key>) = ([], [])
    rows = (json.objectValue?.members ?? []).compactMap { member in
      guard let values = member.value.objectValue else { return nil }
      for key in values.keys where seen.insert(UTF8Key(key)).inserted { columns.append(key) }
      return (member.key, values)
    }
    self.columns = columns
  }

  /// By address.
  package var json: JSON { .object(JSONObject(rows.map { ($0.address, .object($0.values)) })) }

  /// A mean and its standard error in one column, `0.4310 ± 0.0120`; the bounds of intervals are left to `json`. Empty when there are no rows.
  package var text: String { TextTable.aligned(cells) }

  /// As `text`, without the last columns where they do not fit, whose names are given too.
  package func text(columns: Int) -> (text: String, hidden: [String]) {
    let fitting = TextTable.fitting(
      cells, to: columns, dropping: (cells.first?.indices.dropFirst()).map { $0.reversed() } ?? [])
    return (TextTable.aligned(fitting.rows), fitting.dropped.map { cells[0][$0] })
  }

  /// As `text`, the heading first.
  package var cells: [[String]] {
    guard !rows.isEmpty else { return [] }
    let names = Set(columns.map { UTF8Key($0) })
    let shown = columns.filter { column in
      !["_se", "_low", "_high"].contains { ending in
        guard column.hasSuffix(ending) else { return false }
        let mean = column.dropLast(ending.count)
        return names.contains(UTF8Key(String(mean))) && names.contains(UTF8Key("\(mean)_se"))
      }
    }
    let body = rows.map { row in [row.address] + shown.map { cell($0, row.values) } }
    return [["stage"] + shown] + body
  }

  private func cell(_ column: String, _ values: JSONObject) -> String {
    switch values[column] {
    case .int(let number)?: return String(number)
    case let value?:
      guard let number = value.doubleValue else { return "-" }
      let error = values["\(column)_se"]?.doubleValue.map { " ± \(TextTable.number($0))" } ?? ""
      return TextTable.number(number) + error
    case nil: return ""
    }
  }
}
