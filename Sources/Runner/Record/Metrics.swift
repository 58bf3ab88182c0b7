// The declared metrics of a finished run: gathered from the metrics artifacts, and shown as a table.

import JSON
import System

package struct MetricValues: Sendable {
  /// In the order they were declared. A metric over cells of a matrix is one for each, `reward@rm=a`; one over iterations has several
  /// values.
  package let values: [(name: String, values: [(address: String, value: JSON)])]

  /// Metrics of nodes without a record are left out.
  package init(of plan: Plan, records: [Int: NodeRecord], skipped: Set<Int> = [], store: Store) throws {
    let reader = MetricReader(records: records, skipped: skipped, store: store)
    var named: [(name: String, values: [(address: String, value: JSON)])] = []
    for metric in plan.metrics {
      var places: [String: Int] = [:]
      let found = try reader.values(of: metric)
      if found.isEmpty { named.append((metric.name, [])) }
      for (node, value) in found {
        let cell = metric.cell(of: node)
        let place = places[cell] ?? named.count
        if place == named.count {
          places[cell] = place
          named.append((cell.isEmpty ? metric.name : "\(metric.name)@\(cell)", []))
        }
        named[place].values.append((plan.nodes[node].address, value))
      }
    }
    values = named
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

extension PlanMetric {
  /// Of a node that gave a value, for itself or in the place of a later iteration.
  fileprivate func cell(of node: Int) -> String {
    cells[node] ?? cells.first { candidates($0.key).contains(node) }?.value ?? ""
  }
}
