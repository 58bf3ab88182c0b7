// What a metric is: one thing that `evaluate` measures of generations, with the numbers that it reports.

import JSON
import Runner

/// One value of `metrics`.
package protocol Metric: Sendable {
  /// The word that is written.
  static var name: String { get }
  /// What it is, for the page of `evaluate`: follows its name and a comma.
  static var summary: String { get }
  /// The names of its numbers in the metrics artifact.
  static var numbers: [String] { get }
  /// The same under these options of `evaluate`, which may be written wrongly.
  static func numbers(for options: JSON) -> [String]
  /// Its inputs beside `rows`, bound only where it is wanted.
  static var inputs: [InputPort] { get }
  /// The columns that it reads beside `prompt` and `generations`, with what gives them: "`score` gives it".
  static var columns: [(name: String, source: String)] { get }

  init()

  /// What is wrong before anything has run, beside inputs and columns that are missing.
  func check(_ stage: StageCheck, _ findings: inout StageFindings)

  /// Memory and time beside reading the rows; nil for none.
  func estimate(_ input: StageEstimate.Input) -> StageEstimate?

  /// A value for each of `numbers(for:)`, null where there is none.
  /// - Throws: `InputError` naming the row.
  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON]
}

/// In the order in which the artifact holds them.
package let metrics: [any Metric.Type] = [
  RewardMetric.self, PerplexityMetric.self, DistinctMetric.self, LengthMetric.self, AccuracyMetric.self,
]

extension Metric {
  static func numbers(for options: JSON) -> [String] { numbers }
  static var inputs: [InputPort] { [] }
  static var columns: [(name: String, source: String)] { [] }
  func check(_ stage: StageCheck, _ findings: inout StageFindings) {}
  func estimate(_ input: StageEstimate.Input) -> StageEstimate? { nil }
}

/// What is measured: the rows at the input `rows`, and their generations one by one.
package struct Generations {
  /// The file, for errors.
  let path: String
  let rows: [Row]
  let table: ColumnTable
  /// Never empty; `index` is that of the generation in its row.
  let samples: [(row: Row, index: Int, text: String)]

  /// - Throws: `InputError` naming the row and the entry.
  init(_ artifact: Artifact, requiring columns: [String]) throws {
    path = artifact.path
    table = artifact.columns
    rows = try readRows(path, requiring: columns)
    samples = try rows.flatMap { row in
      // Wrong also where no metric reads it.
      _ = try ModelText(promptOf: row)
      return try Self.texts(of: row).enumerated().map { (row, $0, $1) }
    }
    guard !samples.isEmpty else { throw InputError("\(path): there are no generations to evaluate") }
  }

  private static func texts(of row: Row) throws -> [String] {
    let value = row["generations"]
    guard let values = value?.arrayValue else {
      throw InputError(
        "row `\(row.id)`: `generations` is \(value?.kind ?? "missing"); expected a list of strings")
    }
    return try values.enumerated().map { index, value in
      guard let text = value.stringValue else {
        throw InputError("row `\(row.id)`: generation \(index) is \(value.kind); expected a string")
      }
      return text
    }
  }
}
