// `kind: sum`: a weighted sum of columns that hold numbers, such as scores of stages before.

import Experiments
import JSON

/// Each part is a column of its own, so that another weight computes no score anew.
struct SumScorer: Scorer {
  static let kind = "sum"
  static let summary =
    "the weighted sum of columns with a number for each generation, such as those that `score` writes with `column`; a generation that lacks one has no score"
  static let options = [parts.field, low.field, high.field]
  static let columns = ["generations"]

  private static let parts = StageOption(
    "of",
    .list(
      .object([column.field, weight.field, normalize.field, partLow.field, partHigh.field]) {
        Part(
          column: $0[column], weight: $0[weight], normalizes: $0[normalize] == .prompt, low: $0[partLow],
          high: $0[partHigh])
      }, count: 1...100), aliases: ["parts", "columns", "scorers"], summary: "what is added, in this order")
  private static let column = StageOption("column", .string, summary: "the column")
  private static let weight = StageOption(
    "weight", .number(-1e100...1e100), default: 1, summary: "what its number is multiplied with, clipped")
  private static let normalize = StageOption(
    "normalize", .choice(Normalization.self), default: "none",
    summary:
      "`prompt`: the number less the mean of the prompt's generations, divided by their standard deviation (of the population; 0 where all are equal). Over all prompts the stage `normalize` does that"
  )
  private static let partLow = bound("low", "a lower number, normalised, counts as this")
  private static let partHigh = bound("high", "a higher number, normalised, counts as this")
  private static let low = bound("low", "a lower sum becomes this")
  private static let high = bound("high", "a higher sum becomes this")

  private static func bound(_ name: String, _ summary: String) -> StageOption<Double?> {
    StageOption(name, .optional(.number(-1e300...1e300)), default: nil, summary: summary)
  }

  private enum Normalization: String, CaseIterable { case none, prompt }

  private struct Part {
    let column: String
    let weight: Double
    let normalizes: Bool
    let low: Double?
    let high: Double?
  }

  private let parts: [Part]
  private let low: Double?
  private let high: Double?

  init(_ options: StageOptions) {
    parts = options[Self.parts]
    low = options[Self.low]
    high = options[Self.high]
  }

  var columns: [String] {
    parts.map(\.column).reduce(into: []) { columns, column in
      if !columns.contains(column) { columns.append(column) }
    }
  }

  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    let bounds = [(low, high, "scorer")] + parts.enumerated().map { ($1.low, $1.high, "scorer.of.\($0)") }
    for (low, high, place) in bounds {
      guard let low, let high, low > high else { continue }
      findings.error(
        .conflictingOptions,
        "`low` is \(JSON.double(low).text()), which is above `high`, \(JSON.double(high).text())",
        at: .option("\(place).low"), label: "above `high`")
    }
  }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws {
    let table = context.input("rows").columns
    var row: (index: Int, sums: [Double?])?
    for (index, item) in items.enumerated() {
      try context.checkCancellation()
      if row?.index != item.rowIndex { row = (item.rowIndex, try sums(of: item.row, table)) }
      let sum = row?.sums[item.item]
      if let sum, !sum.isFinite {
        throw InputError(
          "row `\(item.row.id)`: the sum for generation \(item.item) overflows; set `low` and `high`")
      }
      try emit(item, sum.map { .reward($0) } ?? .missing)
      context.progress(index + 1, of: items.count, unit: "generations")
    }
  }

  /// Of each generation of the row.
  private func sums(of row: Row, _ table: ColumnTable) throws -> [Double?] {
    let numbers = try parts.map { part in
      let numbers = try numberList(of: row, part.column, table)
      let known = part.normalizes ? StandardScore(numbers.compactMap { $0 }) : nil
      return numbers.map { $0.map { known?.of($0) ?? $0 }.map { Self.clipped($0, part.low, part.high) } }
    }
    return (numbers.first ?? []).indices.map { item in
      let values = numbers.compactMap { $0[item] }
      guard values.count == parts.count else { return nil }
      return Self.clipped(zip(parts, values).reduce(0) { $0 + $1.0.weight * $1.1 }, low, high)
    }
  }

  private static func clipped(_ number: Double, _ low: Double?, _ high: Double?) -> Double {
    min(max(number, low ?? number), high ?? .infinity)
  }
}
