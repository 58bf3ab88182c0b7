// The declared metrics of a finished run: gathered from the metrics artifacts, and shown as a table.

import JSON

package struct MetricValues: Sendable {
  /// In the order they were declared; a metric over several nodes has one value for each.
  package let values: [(name: String, values: [(address: String, value: JSON)])]

  /// Metrics of nodes without a record are left out.
  package init(of plan: Plan, records: [Int: NodeRecord], store: Store) throws {
    var all: [(name: String, values: [(address: String, value: JSON)])] = []
    for metric in plan.metrics {
      var values: [(address: String, value: JSON)] = []
      for index in metric.nodes {
        guard let output = records[index]?.outputs.first(where: { $0.type == .metrics }) else { continue }
        let json = try JSON(parsing: try File.read(try store.readingPath(output)))
        let address = plan.nodes[index].address
        guard let value = MetricValues.find(metric.metric, in: json) else {
          let names = json.objectValue?.keys.map { "`\($0)`" }.joined(separator: ", ") ?? "nothing"
          throw RunError(
            .stageFailed,
            "metric `\(metric.name)`: `\(address)` reports no `\(metric.metric)`; it has \(names)")
        }
        values.append((address, value))
      }
      all.append((metric.name, values))
    }
    values = all
  }

  /// `a.b` is the member `a.b`, else the member `b` of `a`.
  private static func find(_ name: String, in json: JSON) -> JSON? {
    if let value = json[name] { return value }
    var value = json
    for part in name.utf8.split(separator: UInt8(ascii: ".")) {
      guard let next = value[String(Substring(part))] else { return nil }
      value = next
    }
    return value
  }

  package var json: JSON {
    .object(
      JSONObject(
        values.map { metric in
          (
            metric.name,
            metric.values.count == 1 ? metric.values[0].value : .array(metric.values.map(\.value))
          )
        }))
  }

  /// One line a metric: `reward  0.4123  0.5311  0.6120`.
  package var table: String {
    TextTable.aligned(
      values.map { metric in [metric.name] + metric.values.map { MetricValues.show($0.value) } })
  }

  private static func show(_ value: JSON) -> String {
    switch value {
    case .double(let number): TextTable.number(number)
    case .array(let elements): elements.map(show).joined(separator: " ")
    case .string(let text): text
    default: value.text()
    }
  }
}
