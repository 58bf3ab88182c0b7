// `plumb compare` of runs: groups that differ in parameters, and of each metric the mean over a group's runs with what is known of its error.

import JSON
import System

package struct RunComparison {
  /// Runs that agree in what is compared.
  package struct Group {
    /// Of `by`.
    let values: [JSON]
    let runs: [RunSummary]
  }

  /// A metric of a group.
  package struct Cell {
    package let count: Int
    package let mean: Double
    /// Of the mean over runs, from their spread; of one run, what its evaluation says of other prompts.
    package let standardError: Double?
  }

  private let by: [String]
  private let over: [String]
  private let metrics: [String]
  private let groups: [Group]
  private let sort: (name: String, isDescending: Bool)?

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
    var newest: [String: RunSummary] = [:]
    for run in finished {
      newest["\(run.experiment)\n\(JSON.object(run.parameters).text(.canonical))"] = run
    }
    let runs = finished.filter { run in newest.values.contains { $0.path == run.path } }
    let names = Self.names(runs.map(\.parameters))
    let known = Self.names(runs.map(\.metrics))
    try Self.check(by ?? [], among: names, "parameter")
    try Self.check(over ?? [], among: names, "parameter")
    try Self.check(metrics ?? [], among: known, "metric")
    let together = over ?? ["seed"]
    let compared =
      by
      ?? names.filter { name in
        !Self.contains(together, name) && runs.contains { $0.parameters[name] != runs[0].parameters[name] }
      }
    var groups: [Group] = []
    for run in runs {
      let values = compared.map { run.parameters[$0] ?? .null }
      if let place = groups.firstIndex(where: { $0.values == values }) {
        groups[place] = Group(values: values, runs: groups[place].runs + [run])
      } else {
        groups.append(Group(values: values, runs: [run]))
      }
    }
    self.by = compared
    self.over = together.filter { name in
      runs.contains { $0.parameters[name] != runs[0].parameters[name] }
    }
    self.metrics = metrics ?? known
    guard let sort else {
      (self.groups, self.sort) = (groups, nil)
      return
    }
    let isDescending = sort.utf8.first == UInt8(ascii: "-")
    let name = isDescending ? String(sort.dropFirst()) : sort
    try Self.check([name], among: known, "metric")
    self.sort = (name, isDescending)
    let keyed = groups.enumerated().map {
      (place: $0.offset, group: $0.element, mean: Self.cell(name, $0.element)?.mean)
    }
    self.groups = keyed.sorted { a, b in
      switch (a.mean, b.mean) {
      case (nil, nil): a.place < b.place
      case (nil, _): false
      case (_, nil): true
      case (let x?, let y?): x == y ? a.place < b.place : isDescending ? x > y : x < y
      }
    }.map(\.group)
  }

  private static func contains(_ names: [String], _ name: String) -> Bool {
    names.contains { UTF8Key($0) == UTF8Key(name) }
  }

  /// In the order in which they first appear.
  private static func names(_ objects: [JSONObject]) -> [String] {
    var names: [String] = []
    for key in objects.flatMap(\.keys) where !contains(names, key) { names.append(key) }
    return names
  }

  private static func check(_ wanted: [String], among names: [String], _ what: String) throws {
    for name in wanted where !contains(names, name) {
      let help =
        Suggestion.helpOrList(for: name, among: names, what: "the \(what)s are") ?? "there are no \(what)s"
      throw RunError(.commandLine, "no run has a \(what) `\(name)`; \(help)")
    }
  }

  /// Nil where no run of the group has the metric.
  private static func cell(_ metric: String, _ group: Group) -> Cell? {
    let values = group.runs.compactMap { run in run.metric(metric).map { (run: run, value: $0) } }
    guard !values.isEmpty else { return nil }
    let mean = values.reduce(0) { $0 + $1.value } / Double(values.count)
    guard values.count > 1 else {
      return Cell(count: 1, mean: mean, standardError: values[0].run.standardError(of: mean))
    }
    let count = Double(values.count)
    let squares = values.reduce(0) { $0 + ($1.value - mean) * ($1.value - mean) }
    return Cell(count: values.count, mean: mean, standardError: (squares / (count - 1) / count).squareRoot())
  }

  // MARK: text

  /// The heading first.
  private func rows(_ cell: (Cell) -> [String], headings: (String) -> [String]) -> [[String]] {
    let heading = (by.isEmpty ? ["runs"] : by) + ["n"] + metrics.flatMap(headings)
    return [heading]
      + groups.map { group in
        let names = by.isEmpty ? [group.runs[0].experiment] : group.values.map { RunTable.plain($0) }
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
    var rows = rows(
      { cell in
        [
          TextTable.number(cell.mean) + (cell.standardError.map { " ± \(TextTable.number($0))" } ?? "")
        ]
      }, headings: { [$0] })
    if format == .text, sort != nil, rows.count > 2 {
      for index in rows.indices { rows[index].append(index == 1 ? "best" : "") }
    }
    return format.text(rows)
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
    if let sort, groups.count > 1, let first = Self.cell(sort.name, groups[0]),
      let second = Self.cell(sort.name, groups[1])
    {
      let lead = (first.mean - second.mean).magnitude
      let errors = [first.standardError, second.standardError].compactMap { $0 }
      let error = errors.count == 2 ? (errors[0] * errors[0] + errors[1] * errors[1]).squareRoot() : nil
      notes.append(
        "the best by `\(sort.name)` is ahead by \(TextTable.number(lead))"
          + (error.map { " ± \(TextTable.number($0))" } ?? "")
          + (error.map { lead < 2 * $0 } ?? true ? ", which may be chance" : ""))
    }
    return notes
  }

  package var json: JSON {
    .array(
      groups.map { group in
        [
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
