// `plumb runs`: one line a run, for people, programs, spreadsheets and papers.

import JSON
import System

package struct RunTable {
  package enum Format: String, CaseIterable, Sendable { case text, json, csv, md }

  private let runs: [RunSummary]
  /// In the order in which they first appear; parameters only where runs differ in them.
  private let parameters: [String]
  private let metrics: [String]

  /// `sort`: a metric, ascending; with `-` before it descending; nil by time. Runs without it stand last.
  /// - Throws: `RunError` (2) for a metric that no run has.
  package init(_ runs: [RunSummary], sort: String?) throws {
    var metrics: [String] = []
    var parameters: [String] = []
    for run in runs {
      for key in run.metrics.keys where !metrics.contains(where: { UTF8Key($0) == UTF8Key(key) }) {
        metrics.append(key)
      }
      for key in run.parameters.keys where !parameters.contains(where: { UTF8Key($0) == UTF8Key(key) }) {
        parameters.append(key)
      }
    }
    self.metrics = metrics
    self.parameters = parameters.filter { name in
      runs.contains { $0.parameters[name] != runs[0].parameters[name] }
    }
    guard let sort else {
      self.runs = runs
      return
    }
    let isDescending = sort.utf8.first == UInt8(ascii: "-")
    let name = isDescending ? String(sort.dropFirst()) : sort
    guard metrics.contains(where: { UTF8Key($0) == UTF8Key(name) }) else {
      let help =
        metrics.isEmpty
        ? "no run has finished with metrics"
        : "the metrics are \(metrics.map { "`\($0)`" }.joined(separator: ", "))"
      throw RunError(.commandLine, "no run has a metric `\(name)`; \(help)")
    }
    let keyed = runs.enumerated().map {
      (position: $0.offset, run: $0.element, value: $0.element.metric(name))
    }
    self.runs = keyed.sorted { a, b in
      switch (a.value, b.value) {
      case (nil, nil): a.position < b.position
      case (nil, _): false
      case (_, nil): true
      case (let x?, let y?): x == y ? a.position < b.position : isDescending ? x > y : x < y
      }
    }.map(\.run)
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

  static func plain(_ value: JSON) -> String { value.stringValue ?? value.text() }

  package static func shown(_ value: JSON) -> String {
    switch value {
    case .double(let number): TextTable.number(number)
    case .array(let elements): elements.map(shown).joined(separator: " ")
    default: plain(value)
    }
  }

  package func text(_ format: Format) -> String {
    switch format {
    case .text:
      return runs.isEmpty
        ? "there is no run yet\n"
        : TextTable.aligned([heading] + runs.map { cells($0, exact: false) })
    case .json:
      return JSON.array(
        runs.map { run in
          var object = run.json.objectValue ?? JSONObject()
          object["state"] = .string(run.state.rawValue)
          return .object(object)
        }
      ).text(.pretty) + "\n"
    case .csv: return TableFormat.csv.text([heading] + runs.map { cells($0, exact: true) })
    case .md: return TableFormat.md.text([heading] + runs.map { cells($0, exact: false) })
    }
  }
}
