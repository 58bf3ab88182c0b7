// `kind: length`: how long the generation is, or how near it is to a wanted length; needs no model.

import Experiments
import JSON

struct LengthScorer: Scorer {
  static let kind = "length"
  static let summary =
    "the length of the generation, or, with `target`, minus its distance from there: `-|length - target|`"
  static let options = [unit.field, target.field]
  static let columns = ["generations"]

  private static let unit = StageOption(
    "unit", .choice(Unit.self), default: "words",
    summary:
      "`words` between white space, `characters` of Unicode (code points), or `tokens` by the column `lengths`; a generation without an entry there has no score"
  )
  private static let target = StageOption(
    "target", .optional(.number(0...1e9)), default: nil, aliases: ["goal", "wanted"],
    summary: "the wanted length")

  private enum Unit: String, CaseIterable { case words, characters, tokens }

  private let unit: Unit
  private let target: Double?

  init(_ options: StageOptions) {
    unit = options[Self.unit]
    target = options[Self.target]
  }

  var columns: [String] { unit == .tokens ? ["lengths"] : [] }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws {
    let table = context.input("rows").columns
    for (index, item) in items.enumerated() {
      try context.checkCancellation()
      let length = try length(of: item, table)
      let score = length.map { length in target.map { -(length - $0).magnitude } ?? length }
      try emit(item, score.map { .reward($0) } ?? .missing)
      context.progress(index + 1, of: items.count, unit: "generations")
    }
  }

  private func length(of item: RowItem, _ table: ColumnTable) throws -> Double? {
    switch unit {
    case .words: Double(try item.generation().wordCount)
    case .characters: Double(try item.generation().unicodeScalars.count)
    case .tokens: try numberList(of: item.row, "lengths", table)[item.item]
    }
  }
}
