// `classes`: how the generations fall into the values of a column.

import Experiments
import JSON

/// The share of generations that have each of the values, among all that have a value.
struct ClassesMetric: Metric {
  static let name = "classes"
  static let summary =
    "shares of generations by the values of a column: of each of `values` `COLUMN_VALUE`, of all others `COLUMN_other`"
  static let options = [column.field, values.field]

  private static let column = StageOption(
    "column", .string, default: "quantiles", summary: "a column with one entry for each generation")
  private static let values = StageOption(
    "values",
    .list(
      .either(
        .mapped(.integer(-1_000_000...1_000_000)) { JSON.int(Int64($0)) }, .mapped(.string) { .string($0) }),
      count: 1...1000),
    summary: "the values whose shares are wanted, each a text or an integer")

  private let shares: Shares

  init(_ options: StageOptions) {
    shares = Shares(column: options[Self.column], values: options[Self.values])
  }

  var columns: [(name: String, source: String)] { [(shares.column, "an earlier stage has to give it")] }

  func numbers(for options: JSON) -> [String] { shares.numbers(for: options) }

  func check(_ stage: StageCheck, at place: String, _ findings: inout StageFindings) {
    var seen: [String] = []
    for (index, name) in shares.names.dropLast().enumerated() {
      if seen.contains(name) || name == shares.names.last {
        findings.error(
          .wrongValue, "`values` has two values whose share would be called `\(name)`",
          at: .option("\(place).values.\(index)"), label: "the second one",
          help: "list it once; what is not listed counts in `\(shares.names.last ?? "")`")
      }
      seen.append(name)
    }
  }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    try shares.measure(generations, context)
  }
}
