// `kind: reply`: replies that a column holds, as a program or an earlier stage wrote them.

import Experiments
import JSON

struct ReplyAnnotator: Annotator {
  static let kind = "reply"
  static let summary =
    "replies that stand in a column already, one for each sample, such as a program writes them; a null has the outcome `error`"
  static let options = [column.field]
  static let inputs: [InputPort] = []
  static let computes = false
  static let columns = ["outcomes"]

  private static let column = StageOption(
    "column", .string, default: "replies", summary: "the column of replies by sample, each a text or null")

  private let column: String

  init(_ options: StageOptions) { column = options[Self.column] }

  var columnsRead: [String] { ["generations", column] }

  var bytesPerReply: Int { 40 }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    StageEstimate(seconds: Estimates.reading(input.input("rows")))
  }

  func reply(to items: [RowItem], _ context: StageContext, take: (RowItem, Reply) throws -> Bool) throws {
    var reader = SampleColumnReader(column, context)
    for (index, item) in items.enumerated() {
      try context.checkCancellation()
      switch try reader.entry(of: item) {
      case .string(let text): _ = try take(item, Reply(.text(text)))
      case .null: _ = try take(item, Reply(.failure("`\(column)` is null")))
      case let value:
        throw InputError(
          "row `\(item.row.id)`: `\(column)` of sample \(item.item) is \(value.kind); expected text or null")
      }
      context.progress(index + 1, of: items.count, unit: "replies")
    }
  }
}
