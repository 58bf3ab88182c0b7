// What a sweep found, for people and programs: a line a trial, the best first, and how sure that is.

import JSON
import Search
import System

package struct SweepTable {
  private struct Line {
    let trial: SweepTrial
    /// By metric: the values over repetitions.
    var metrics: [String: [Double]] = [:]
  }

  private let sweep: Sweep
  private let lines: [Line]
  private let metrics: [String]
  private let count: Int
  private let stages: (all: Int, different: Int)

  /// - Parameter sorts: by the metric, the best first; else by number.
  package init(_ progress: SweepProgress, sorts: Bool) throws {
    sweep = progress.sweep
    count = progress.count
    stages = progress.stageCounts
    var names: [String] = []
    var lines = try progress.trials.map { trial -> Line in
      var line = Line(trial: trial)
      guard trial.state == .done || trial.state == .recovered else {
        if case .ended(_, let value)? = trial.outcome, let name = progress.sweep.metric {
          line.metrics[name] = [value]
        }
        return line
      }
      for run in trial.runs {
        for (name, values) in try progress.metrics(of: run)?.values ?? [] {
          guard let value = values.last?.value.doubleValue else { continue }
          if !names.contains(name) { names.append(name) }
          line.metrics[name, default: []].append(value)
        }
      }
      return line
    }
    let first = [progress.sweep.metric].compactMap { $0 }
    metrics = first + names.filter { !first.contains($0) }
    if sorts, progress.sweep.goal != nil {
      let goal = progress.sweep.goal ?? .minimize
      let ranks = lines.map { line in line.trial.outcome.map { Rank($0, goal) } }
      // What has no outcome yet stands last.
      let order = lines.indices.sorted { a, b in
        guard let x = ranks[a], let y = ranks[b] else {
          return ranks[a] == nil && ranks[b] == nil ? a < b : ranks[a] != nil
        }
        return x == y ? a < b : x < y
      }
      lines = order.map { lines[$0] }
    }
    self.lines = lines.filter { $0.trial.state != .removed }
  }

  /// A trial as it stands.
  package struct Entry: Sendable {
    /// From 1.
    package let number: Int
    package let state: String
    package let values: JSONObject
    /// The sweep's metric over repetitions, and its standard error.
    package let metric: (mean: Double, standardError: Double?)?
  }

  package var entries: [Entry] {
    lines.map { line in
      let over = sweep.metric.flatMap { MeanOverRuns(line.metrics[$0] ?? []) }
      return Entry(
        number: line.trial.number + 1, state: Self.words(line.trial.state), values: line.trial.values,
        metric: over.map { ($0.mean, $0.standardError) })
    }
  }

  private static func words(_ state: SweepTrial.State) -> String {
    switch state {
    case .done: "done"
    case .recovered: "done, failed first"
    case .ended(let iterations): "ended after \(iterations)"
    case .failed: "failed"
    case .removed: "removed"
    case .begun: "begun"
    case .waiting: "waiting"
    }
  }

  package func text(_ format: TableFormat, limit: Int? = nil) -> String {
    format.text(rows(isExact: format == .csv, limit: limit))
  }

  /// The heading first.
  /// - Parameter isExact: numbers in full, errors in columns of their own.
  package func rows(isExact: Bool = false, limit: Int? = nil) -> [[String]] {
    let showsCount = sweep.repetitions.count > 1
    var rows = [
      ["trial", "state"] + sweep.names + (showsCount ? ["n"] : [])
        + metrics.flatMap { isExact ? [$0, "\($0)_se"] : [$0] }
    ]
    for line in lines.prefix(limit ?? lines.count) {
      var row = [String(line.trial.number + 1), Self.words(line.trial.state)]
      row += sweep.names.map { line.trial.values[$0].map { RunTable.plain($0) } ?? "" }
      if showsCount { row.append(String(line.metrics.values.map(\.count).max() ?? 0)) }
      for name in metrics {
        guard let over = MeanOverRuns(line.metrics[name] ?? []) else {
          row += isExact ? ["", ""] : [""]
          continue
        }
        let (mean, error) = (over.mean, over.standardError)
        row +=
          isExact
          ? ["\(mean)", error.map { "\($0)" } ?? ""]
          : [TextTable.number(mean) + (error.map { " ± \(TextTable.number($0))" } ?? "")]
      }
      rows.append(row)
    }
    return rows
  }

  /// How far it came, and how far the best is ahead; a line each.
  package var notes: [String] {
    func count(_ test: (SweepTrial.State) -> Bool) -> Int { lines.count { test($0.trial.state) } }
    let done = count { $0 == .done || $0 == .recovered }
    let ended = count { if case .ended = $0 { true } else { false } }
    let failed = count { $0 == .failed }
    let parts = [
      "\(done) of \(self.count) trials done", ended > 0 ? "\(ended) ended early" : nil,
      failed > 0 ? "\(failed) failed" : nil,
    ]
    let runs = lines.reduce(0) { $0 + $1.trial.runs.count }
    var notes = [
      parts.compactMap { $0 }.joined(separator: ", ")
        + "; \(runs) runs of \(stages.all) stages, \(stages.different) of them different"
    ]
    let repeated = sweep.repeats.map { "`\($0.name)`" }.joined(separator: ", ")
    if sweep.repetitions.count > 1 {
      notes.append("±: the standard error of a mean over runs that differ in \(repeated)")
    }
    if let lead = lead { notes.append(lead) }
    return notes
  }

  /// The best two trials that were done.
  private var lead: String? {
    guard let name = sweep.metric, let goal = sweep.goal else { return nil }
    let done = lines.filter { $0.trial.state == .done }
      .compactMap { line in
        MeanOverRuns(line.metrics[name] ?? []).map { (number: line.trial.number + 1, over: $0) }
      }
      .sorted { a, b in
        let (x, y) = (a.over.mean, b.over.mean)
        return x == y ? a.number < b.number : goal == .maximize ? x > y : x < y
      }
    guard done.count > 1 else { return nil }
    let (first, second) = (done[0].over, done[1].over)
    let lead = Lead((first.mean, first.standardError), (second.mean, second.standardError))
    return "trial \(done[0].number) is the best by `\(name)`, \(lead.words)"
  }

  package var json: JSON {
    .array(
      lines.map { line in
        [
          "trial": .int(Int64(line.trial.number + 1)), "state": .string(Self.words(line.trial.state)),
          "values": .object(line.trial.values),
          "runs": .array(line.trial.runs.map { .array($0.settings.map { .string($0) }) }),
          "metrics": .object(
            JSONObject(
              metrics.compactMap { name in
                MeanOverRuns(line.metrics[name] ?? []).map { over in
                  (
                    name,
                    [
                      "mean": .double(over.mean),
                      "standard_error": over.standardError.map { .double($0) } ?? .null,
                      "values": .array((line.metrics[name] ?? []).map { .double($0) }),
                    ] as JSON
                  )
                }
              })),
        ]
      })
  }

  /// The share of the metric's variance that each parameter explains alone, the largest first.
  /// - Throws: `RunError` (2) where the sweep has no metric or no space.
  package static func importances(_ progress: SweepProgress) throws -> [Importance] {
    guard progress.sweep.metric != nil else {
      throw RunError(.commandLine, "`sweep` has no `metric`, so that nothing is explained by its parameters")
    }
    guard !progress.sweep.space.parameters.isEmpty else {
      throw RunError(.commandLine, "trials of a list have no distribution over which a share could be taken")
    }
    let known = progress.trials.compactMap { trial -> (values: JSONObject, metric: Double)? in
      guard case .value(let value)? = trial.outcome else { return nil }
      return (trial.values, value)
    }
    return Importance.of(progress.sweep.space, trials: known, seed: progress.sweep.seed)
      .sorted { ($0.share ?? -1) > ($1.share ?? -1) }
  }

  /// `importances` as a table, the heading first.
  package static func importance(_ progress: SweepProgress) throws -> [[String]] {
    [["parameter", "share", "trials"]]
      + (try importances(progress)).map { each in
        let share = each.share.map { share in
          TextTable.number(share) + (each.deviation.map { " ± \(TextTable.number($0))" } ?? "")
        }
        return [each.parameters.joined(separator: ", "), share ?? "", String(each.trials)]
      }
  }
}
