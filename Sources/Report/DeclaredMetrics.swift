// The declared metrics of a run with their errors and intervals, where their stages say them.

import JSON
import Runner
import System

struct DeclaredMetrics {
  private let contents: RunContents

  init(_ contents: RunContents) { self.contents = contents }

  /// The heading first; a metric over iterations shows its last number and its course.
  var rows: [[String]] {
    let plan = contents.text("plan.json").flatMap { try? JSON(parsing: Array($0.utf8)) }
    let addresses = plan?["metrics"]?.objectValue ?? JSONObject()
    let members = contents.run.metrics.members
    var rows = [["metric", "value", "95% interval", "over iterations", "of"]]
    for (name, value) in members {
      let numbers = value.arrayValue?.compactMap(\.doubleValue) ?? []
      // `reward@rm=a` is a cell of the metric `reward`.
      let declared = addresses[name] ?? addresses[String(name.prefix { $0 != "@" })]
      let found = declared?.arrayValue?.compactMap(\.stringValue) ?? []
      let address = found.count == 1 || value.arrayValue != nil ? found.last : nil
      let (error, low, high) = address.map(uncertainty) ?? (nil, nil, nil)
      guard let shown = value.doubleValue ?? numbers.last else {
        rows.append([name, value.isNull ? "" : RunTable.shown(value), "", "", address ?? ""])
        continue
      }
      rows.append([
        name, TextTable.number(shown) + (error.map { " ± \(TextTable.number($0))" } ?? ""),
        low.flatMap { low in high.map { "\(TextTable.number(low)) to \(TextTable.number($0))" } } ?? "",
        numbers.count > 1 ? numbers.map(TextTable.number).joined(separator: " → ") : "", address ?? "",
      ])
    }
    // Without anything in a column it is left out.
    let kept = rows[0].indices.filter { column in
      column < 2 || rows.dropFirst().contains { !$0[column].isEmpty }
    }
    return rows.map { row in kept.map { row[$0] } }
  }

  private func uncertainty(_ address: String) -> (error: Double?, low: Double?, high: Double?) {
    let bytes = Array(address.utf8)
    for dot in bytes.indices.reversed() where bytes[dot] == UInt8(ascii: ".") {
      guard let place = contents.place(of: String(decoding: bytes[..<dot], as: UTF8.self)) else { continue }
      let name = String(decoding: bytes[(dot + 1)...], as: UTF8.self)
      let metrics = contents.metrics(place)
      func number(_ ending: String) -> Double? { metrics?[name + ending]?.doubleValue }
      return (number(StageContext.standardError), number("_low"), number("_high"))
    }
    return (nil, nil, nil)
  }
}
