// `rouge`: how near the generations are to a reference text of their row.

import Experiments
import JSON

/// The mean over generations. A row whose reference is null has none and its generations are counted as left out.
struct RougeMetric: Metric {
  static let name = "rouge"
  static let summary =
    "F-measures of ROUGE-1, ROUGE-2 and ROUGE-L against a text of the row (`rouge_1`, `rouge_2`, `rouge_l`), as the rouge-score package computes them"
  static let options = [column.field, stem.field]

  private static let column = StageOption(
    "column", .string, default: "reference", aliases: ["reference", "references", "target"],
    summary: "the column with the reference text, or with a list of several, of which the best counts")
  private static let stem = StageOption(
    "stem", .bool, default: false, aliases: ["use_stemmer", "stemmer"],
    summary: "whether words are compared without their endings, by Porter's stemmer")

  private let column: String
  private let stems: Bool

  init(_ options: StageOptions) {
    column = options[Self.column]
    stems = options[Self.stem]
  }

  var columns: [(name: String, source: String)] { [(column, "`data` keeps it with `keep: [\(column)]`")] }

  func numbers(for options: JSON) -> [String] {
    ["rouge_1", "rouge_2", "rouge_l"].flatMap { MeanNumbers.names($0, options) }
  }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    var scores: [Rouge?] = []
    for row in generations.rows {
      let references = try references(of: row)
      for value in row["generations"]?.arrayValue ?? [] {
        try context.checkCancellation()
        scores.append(Rouge(of: value.stringValue ?? "", againstBestOf: references, stems: stems))
        context.progress(scores.count, of: generations.samples.count, unit: "generations")
      }
    }
    context.leaveOut(scores.count { $0 == nil }, "generations without reference")
    return try [\Rouge.one, \.two, \.longest].flatMap { number in
      let values = generations.byRow(scores.map { $0?[keyPath: number] })
      return try MeanNumbers.values(of: ClusteredMean(values), context)
    }
  }

  private func references(of row: Row) throws -> [String] {
    let value = row[column] ?? .null
    if value.isNull { return [] }
    let values = value.arrayValue ?? [value]
    let texts = values.compactMap(\.stringValue)
    guard texts.count == values.count else {
      throw InputError(
        "row `\(row.id)`: `\(column)` is \(value.kind); expected text, a list of texts, or null")
    }
    return texts
  }
}
