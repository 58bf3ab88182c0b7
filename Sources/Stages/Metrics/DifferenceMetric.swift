// `difference`: how much higher a number of the rows is than that of the rows at `baseline`, prompt by prompt.

import JSON
import Runner

/// Of each prompt that has numbers in both, the mean of its generations' numbers less that of the baseline's; the mean over these prompts, each with the
/// same weight. Rows are paired by `id`.
/// Source: the paired difference of Miller, "Adding error bars to evals", 2024, section 4.2.
struct DifferenceMetric: Metric {
  static let name = "difference"
  static let summary =
    "of a column with a number for each generation, how much higher it is than in the rows at `baseline`, by prompt (`COLUMN_difference`), and the numbers of prompts that have both (`COLUMN_pairs`) and that do not (`COLUMN_unmatched`)"
  static let options = [column.field]
  static let inputs = [
    InputPort(
      "baseline", .rows, required: false,
      summary: "rows of the same prompts, by `id`, with which the rows are compared")
  ]

  private static let column = StageOption(
    "column", .string, default: "rewards",
    summary: "the column, in both, with a number or null for each generation")

  private let column: String

  init(_ options: StageOptions) { column = options[Self.column] }

  var columns: [(name: String, source: String)] { [(column, "`score` gives it")] }

  func check(_ stage: StageCheck, at place: String, _ findings: inout StageFindings) {
    findings.want(
      column: column, of: "baseline", in: stage, because: "the metric `\(Self.name)`",
      help: "`score` gives it; or list other metrics")
  }

  func numbers(for options: JSON) -> [String] {
    MeanNumbers.names("\(column)_difference", options) + ["\(column)_pairs", "\(column)_unmatched"]
  }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    let baseline = context.input("baseline")
    var earlier: [UTF8Key: Double?] = [:]
    for row in try readRows(baseline.path, requiring: ["generations", column]) {
      do {
        earlier.updateValue(
          mean(of: try numberList(of: row, column, baseline.columns)), forKey: UTF8Key(row.id))
      } catch let error as InputError { throw InputError("\(baseline.path): \(error)") }
    }
    var differences: [[Double]] = []
    var prompts = earlier.count
    for (row, numbers) in zip(generations.rows, try generations.numbers(in: column)) {
      guard let known = earlier[UTF8Key(row.id)] else {
        prompts += 1
        continue
      }
      guard let known, let mean = mean(of: numbers) else { continue }
      let difference = mean - known
      guard difference.isFinite else {
        throw InputError("row `\(row.id)`: the difference of `\(column)` to the rows at `baseline` overflows")
      }
      differences.append([difference])
    }
    guard let difference = ClusteredMean(differences) else {
      throw InputError(
        "\(generations.path): no prompt has numbers in `\(column)` both here and in the rows at `baseline`, \(baseline.path); rows are paired by `id`"
      )
    }
    return try MeanNumbers.values(of: difference, context) + [
      .int(Int64(differences.count)), .int(Int64(prompts - differences.count)),
    ]
  }

  private func mean(of numbers: [Double?]) -> Double? { ClusteredMean([numbers.compactMap { $0 }])?.mean }
}
