// The declared metrics of a finished run: gathered from the metrics artifacts, and shown as a table.

import JSON
import System

package struct MetricValues: Sendable {
  /// In the order they were declared; a metric over several nodes has one value for each.
  package let values: [(name: String, values: [(address: String, value: JSON)])]

  /// Metrics of nodes without a record are left out.
  package init(of plan: Plan, records: [Int: NodeRecord], skipped: Set<Int> = [], store: Store) throws {
    let reader = MetricReader(records: records, skipped: skipped, store: store)
    values = try plan.metrics.map { metric in
      (metric.name, try reader.values(of: metric).map { (plan.nodes[$0.node].address, $0.value) })
    }
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
      values.filter { !$0.values.isEmpty }.map { metric in
        [metric.name] + metric.values.map { MetricValues.show($0.value) }
      })
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
