// `plumb compare` of runs: groups that differ in parameters, and of each metric the mean over a group's runs with what is known of its error.

import JSON
import System

package struct RunComparison {
  /// Runs that agree in what is compared.
  package struct Group {
    let experiment: String
    /// Of `by`.
    let values: [JSON]
    var runs: [RunSummary]
  }

  /// A metric of a group.
  package struct Cell {
    package let count: Int
    package let mean: Double
    /// Of the mean over runs, from their spread; of one run, what its evaluation says of other prompts.
    package let standardError: Double?
  }

  private let by: [String]
  /// In which the runs of a group may differ.
  private let over: [String]
  private let metrics: [String]
  private let groups: [Group]
  private let order: MetricOrder?
  /// Trials of sweeps that ran only so far as they were compared.
  private let endedCount: Int

  /// Of runs that finished; of several with the same parameters the newest counts.
  /// - Parameters:
  ///   - by: parameters that make groups; nil for all in which the runs differ, but those of `over`.
  ///   - over: parameters whose values a group takes together; nil for `seed`.
  ///   - metrics: nil for all.
  ///   - sort: a metric, ascending; with `-` before it descending.
  /// - Throws: `RunError` (2) for names that no run has.
  package init(_ all: [RunSummary], by: [String]?, over: [String]?, metrics: [String]?, sort: String?) throws
  {
    let finished = all.filter { $0.state == .done && !$0.metrics.members.isEmpty }
    guard !finished.isEmpty else {
      throw RunError(.commandLine, "none of the \(all.count) runs has finished with metrics")
    }
    var newest: [String: String] = [:]
    for run in finished { newest[run.settings] = run.path }
    endedCount = Set(all.filter { $0.state == .ended }.map(\.settings)).count { newest[$0] == nil }
    let runs = finished.filter { newest[$0.settings] == $0.path }
    let names = RunNames.all(runs.map(\.parameters))
    let known = RunNames.all(runs.map(\.metrics))
    try RunNames.check(by ?? [], among: names, "parameter")
    try RunNames.check(over ?? [], among: names, "parameter")
    try RunNames.check(metrics ?? [], among: known, "metric")
    let together = over ?? ["seed"]
    let compared =
      by
      ?? names.filter { name in
        !together.contains { UTF8Key($0) == UTF8Key(name) } && runs.differ(in: name)
      }
    var groups: [Group] = []
    for run in runs {
      let values = compared.map { run.parameters[$0] ?? .null }
      let place = groups.firstIndex {
        $0.values == values && UTF8Key($0.experiment) == UTF8Key(run.experiment)
      }
      if let place {
        groups[place].runs.append(run)
      } else {
        groups.append(Group(experiment: run.experiment, values: values, runs: [run]))
      }
    }
    self.by = compared
    self.over = names.filter { name in
      !compared.contains { UTF8Key($0) == UTF8Key(name) } && runs.differ(in: name)
    }
    self.metrics = metrics ?? known
    order = try sort.map { try MetricOrder($0, among: known) }
    self.groups = order.map { order in order.sorted(groups) { Self.cell(order.name, $0)?.mean } } ?? groups
  }

  /// Nil where no run of the group has the metric.
  private static func cell(_ metric: String, _ group: Group) -> Cell? {
    let found = group.runs.filter { $0.metric(metric) != nil }
    guard let over = MeanOverRuns(found.compactMap { $0.metric(metric) }) else { return nil }
    return Cell(
      count: over.count, mean: over.mean,
      standardError: over.count > 1 ? over.standardError : found[0].standardError(of: over.mean))
  }

  // MARK: text

  /// The heading first.
  private func rows(_ cell: (Cell) -> [String], headings: (String) -> [String]) -> [[String]] {
    let showsExperiment = by.isEmpty || groups.contains { $0.experiment != groups[0].experiment }
    let heading = (showsExperiment ? ["experiment"] : []) + by + ["n"] + metrics.flatMap(headings)
    return [heading]
      + groups.map { group in
        let names = (showsExperiment ? [group.experiment] : []) + group.values.map { RunTable.plain($0) }
        return names + [String(group.runs.count)]
          + metrics.flatMap { name in
            Self.cell(name, group).map(cell) ?? headings(name).map { _ in "" }
          }
      }
  }

  package func text(_ format: TableFormat) -> String {
    if format == .csv {
      return format.text(
        rows({ ["\($0.mean)", $0.standardError.map { "\($0)" } ?? ""] }, headings: { [$0, "\($0)_se"] }))
    }
    var rows = table
    if format == .text, order != nil, rows.count > 2 {
      for index in rows.indices { rows[index].append(index == 1 ? "best" : "") }
    }
    return format.text(rows)
  }

  /// For people, the heading first.
  package var table: [[String]] {
    rows(
      { cell in
        [
          TextTable.number(cell.mean) + (cell.standardError.map { " ± \(TextTable.number($0))" } ?? "")
        ]
      }, headings: { [$0] })
  }

  /// What the errors are, and how far the best group is ahead; a line each.
  package var notes: [String] {
    let several = groups.contains { $0.runs.count > 1 }
    let differing =
      over.isEmpty ? "runs" : "runs that differ in \(over.map { "`\($0)`" }.joined(separator: ", "))"
    var notes = [
      several
        ? "±: the standard error of a mean over \(differing); of one run, over prompts"
        : "±: a standard error over prompts; it says nothing of another seed"
    ]
    if endedCount > 0 {
      notes.append("\(endedCount) trials that were ended early are not compared")
    }
    if let order, groups.count > 1, let first = Self.cell(order.name, groups[0]),
      let second = Self.cell(order.name, groups[1])
    {
      let lead = Lead((first.mean, first.standardError), (second.mean, second.standardError))
      notes.append("the best by `\(order.name)` is \(lead.words)")
    }
    return notes
  }

  package var json: JSON {
    .array(
      groups.map { group in
        [
          "experiment": .string(group.experiment),
          "parameters": .object(JSONObject(zip(by, group.values).map { ($0, $1) })),
          "runs": .array(group.runs.map { .string($0.id) }),
          "metrics": .object(
            JSONObject(
              metrics.compactMap { name in
                Self.cell(name, group).map { cell in
                  (
                    name,
                    [
                      "mean": .double(cell.mean), "n": .int(Int64(cell.count)),
                      "standard_error": cell.standardError.map { .double($0) } ?? .null,
                      "values": .array(group.runs.map { $0.metric(name).map { .double($0) } ?? .null }),
                    ]
                  )
                }
              })),
        ]
      })
  }
}

extension RunSummary {
  /// What the run's evaluations say of a number among their means; nil where none has it, or several with different errors.
  fileprivate func standardError(of mean: Double) -> Double? {
    guard let bytes = try? File.read("\(path)/evaluations.json"),
      let evaluations = (try? JSON(parsing: bytes))?.objectValue
    else { return nil }
    var found: Set<Double> = []
    for values in evaluations.members.compactMap(\.value.objectValue) {
      for (name, value) in values.members where value.doubleValue == mean {
        if let error = values["\(name)_se"]?.doubleValue { found.insert(error) }
      }
    }
    return found.count == 1 ? found.first : nil
  }
}
