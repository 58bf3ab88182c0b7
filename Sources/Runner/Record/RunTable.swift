// `plumb runs`: one line a run, for people, programs, spreadsheets and papers.

import JSON
import System

package struct RunTable {
  private let runs: [RunSummary]
  /// In the order in which they first appear; parameters only where runs differ in them.
  private let parameters: [String]
  private let metrics: [String]

  /// `sort`: a metric, ascending; with `-` before it descending; nil by time. Runs without it stand last.
  /// - Throws: `RunError` (2) for a metric that no run has.
  package init(_ runs: [RunSummary], sort: String?) throws {
    let metrics = RunNames.all(runs.map(\.metrics))
    self.metrics = metrics
    parameters = RunNames.all(runs.map(\.parameters)).filter { runs.differ(in: $0) }
    self.runs =
      try sort.map { sort in
        let order = try MetricOrder(sort, among: metrics)
        return order.sorted(runs) { $0.metric(order.name) }
      } ?? runs
  }

  private var heading: [String] {
    ["run", "experiment", "state", "took", "stages"] + parameters + metrics
  }

  private func cells(_ run: RunSummary, exact: Bool) -> [String] {
    let stages = "\(run.executed)+\(run.cached)/\(run.nodes)"
    let took = run.seconds.map { exact ? "\($0)" : duration($0) } ?? ""
    return [run.id, run.experiment, run.state.rawValue, took, stages]
      + parameters.map { run.parameters[$0].map(RunTable.plain) ?? "" }
      + metrics.map { name in
        guard let value = run.metrics[name] else { return "" }
        return exact ? RunTable.plain(value) : RunTable.shown(value)
      }
  }

  package static func plain(_ value: JSON) -> String { value.stringValue ?? value.text() }

  package static func shown(_ value: JSON) -> String {
    switch value {
    case .double(let number): TextTable.number(number)
    case .array(let elements): elements.map(shown).joined(separator: " ")
    default: plain(value)
    }
  }

  package var json: JSON {
    .array(
      runs.map { run in
        var object = run.json.objectValue ?? JSONObject()
        object["state"] = .string(run.state.rawValue)
        return .object(object)
      })
  }

  /// Of a spreadsheet numbers in full.
  package func text(_ format: TableFormat) -> String {
    if runs.isEmpty, format == .text { return "there is no run yet\n" }
    return format.text([heading] + runs.map { cells($0, exact: format == .csv) })
  }

  /// For a terminal: what does not fit is left out, first how long runs took, then parameters and metrics, the last first.
  /// - Returns: also the names of what was left out.
  package func text(columns: Int) -> (text: String, hidden: [String]) {
    if runs.isEmpty { return (text(.text), []) }
    let fixed = heading.count - parameters.count - metrics.count
    let order =
      [fixed - 1, fixed - 2] + (fixed..<(fixed + parameters.count)).reversed()
      + ((fixed + parameters.count)..<heading.count).reversed() + (2..<(fixed - 2)).reversed() + [1]
    let rows = [heading] + runs.map { cells($0, exact: false) }
    let fitting = TextTable.fitting(rows, to: columns, dropping: order)
    return (TextTable.aligned(fitting.rows), fitting.dropped.map { heading[$0] })
  }
}
