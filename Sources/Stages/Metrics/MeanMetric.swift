// `mean`: the mean of any column with a number for each generation.

import Experiments
import JSON

/// The numbers are called as the column is. Generations without a number are counted as left out.
struct MeanMetric: Metric {
  static let name = "mean"
  static let summary =
    "the mean of a column with a number for each generation (`COLUMN`); with `below`, how many are left out by it (`COLUMN_discarded`)"
  static let options = [column.field, below.field]

  private static let column = StageOption(
    "column", .string, summary: "the column, with a number or null for each generation")
  private static let below = StageOption(
    "below", .optional(.number(-1e300...1e300)), default: nil, aliases: ["cap", "max"],
    summary: "generations with this number or more are left out of the mean and counted")

  private let column: String
  private let below: Double?

  init(_ options: StageOptions) {
    column = options[Self.column]
    below = options[Self.below]
  }

  var columns: [(name: String, source: String)] { [(column, "`score` gives it with `column: \(column)`")] }

  func numbers(for options: JSON) -> [String] {
    MeanNumbers.names(column, options) + (below == nil ? [] : ["\(column)_discarded"])
  }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    let numbers = try generations.numbers(in: column).map { $0.compactMap { $0 } }
    let kept = numbers.map { numbers in numbers.filter { number in below.map { number < $0 } ?? true } }
    let known = numbers.reduce(0) { $0 + $1.count }
    let discarded = known - kept.reduce(0) { $0 + $1.count }
    context.leaveOut(generations.samples.count - known, "generations without \(column)")
    context.leaveOut(discarded, "generations with too high a \(column)")
    return try MeanNumbers.values(of: ClusteredMean(kept), context)
      + (below == nil ? [] : [.int(Int64(discarded))])
  }
}
