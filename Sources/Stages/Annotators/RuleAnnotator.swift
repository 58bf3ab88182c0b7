// `kind: rule`: the text of a sample's class.

import Experiments
import JSON

/// Source: METHODS 1.6.1, ALT-RM.
struct RuleAnnotator: Annotator {
  static let kind = "rule"
  static let summary = "the text of the sample's class, from a list; a sample without a class gets none"
  static let options = [texts.field, column.field]
  static let inputs: [InputPort] = []
  static let computes = false
  static let columns: [String] = []

  private static let texts = StageOption(
    "texts", .list(.string, count: 1...1000),
    summary: "one text for each class, best first: `[Excellent., Good., Mediocre., Bad., Horrible.]`")
  private static let column = StageOption(
    "column", .string, default: "quantiles", summary: "the column of classes by sample, 0 the best")

  let texts: [String]
  let column: String

  init(_ options: StageOptions) {
    texts = options[Self.texts]
    column = options[Self.column]
  }

  var columnsRead: [String] { ["generations", column] }

  var bytesPerReply: Int { texts.reduce(0) { $0 + $1.utf8.count } / texts.count }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    StageEstimate(seconds: Estimates.reading(input.input("rows")))
  }

  func reply(to items: [RowItem], _ context: StageContext, take: (RowItem, Reply) throws -> Bool) throws {
    var reader = SampleColumnReader(column, context)
    for item in items {
      let value = try reader.entry(of: item)
      guard !value.isNull else {
        _ = try take(item, Reply(.none))
        continue
      }
      guard let index = value.intValue, texts.indices.contains(index) else {
        throw InputError(
          "row `\(item.row.id)`: `\(column)` of sample \(item.item) is \(value.text()); expected a class from 0 to \(texts.count - 1), as `texts` has them, or null"
        )
      }
      _ = try take(item, Reply(.text(texts[index])))
    }
  }
}
