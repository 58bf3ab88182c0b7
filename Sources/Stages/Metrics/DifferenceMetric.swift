// `difference`: how much higher a number of the rows is than that of the rows at `baseline`, prompt by prompt.

import Experiments
import JSON

/// See `PairedDifference`.
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
    let earlier = try readRows(baseline.path, requiring: ["generations", column]).map { row in
      do {
        return (id: row.id, numbers: try numberList(of: row, column, baseline.columns))
      } catch let error as InputError { throw InputError("\(baseline.path): \(error)") }
    }
    let rows = zip(generations.rows, try generations.numbers(in: column)).map { (id: $0.id, numbers: $1) }
    let paired: PairedDifference
    do {
      paired = try PairedDifference(rows, to: earlier)
    } catch let error as InputError { throw InputError("`\(column)`: \(error)") }
    guard let difference = paired.mean else {
      throw InputError(
        "\(generations.path): no prompt has numbers in `\(column)` both here and in the rows at `baseline`, \(baseline.path); rows are paired by `id`"
      )
    }
    return try MeanNumbers.values(of: difference, context) + [
      .int(Int64(paired.differences.count)), .int(Int64(paired.unmatched)),
    ]
  }
}
