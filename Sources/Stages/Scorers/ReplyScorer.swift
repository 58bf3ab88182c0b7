// `kind: reply`: a number that a language model replies with when it is asked about a generation.

import Experiments
import JSON

/// Asks as `annotate` does, and takes the first number that the parser reads.
struct ReplyScorer: Scorer {
  static let kind = "reply"
  static let summary =
    "the number in a language model's reply to a question about each generation, here or behind a server; a reply without one gives null"
  static let options = ModelAnnotator.options + [parser.field]
  static let inputs = ModelAnnotator.inputs
  static let columns = ["generations"]
  static let computes = true

  private static let parser = StageOption<any ReplyParser>(
    "parser",
    .variant(
      replyParsers.map { parser in
        OptionCase(parser.kind, parser.options, summary: parser.summary) { parser.init($0) }
      }),
    summary:
      "how the number is read: the first column of the parser that holds one, such as that of `numbers`")

  private let annotator: ModelAnnotator
  private let parser: any ReplyParser

  init(_ options: StageOptions) {
    annotator = ModelAnnotator(options)
    parser = options[Self.parser]
  }

  var columns: [String] { annotator.columnsRead }
  var isRandom: Bool { annotator.isRandom }

  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    annotator.check(stage, below: "scorer.", &findings)
    parser.check(&findings)
  }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate { annotator.estimate(input) }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws {
    try annotator.reply(to: items, context) { item, reply in
      let score = try self.score(of: reply, item)
      let isUsed = score != .missing || reply.isLast
      if isUsed { try emit(item, score) }
      return isUsed
    }
  }

  private func score(of reply: Reply, _ item: RowItem) throws -> Score {
    guard case .text(let text) = reply.content,
      case .parsed(let values) = try item.row.inputErrors({ try parser.parse(text) }),
      let number = values.lazy.compactMap(\.doubleValue).first
    else { return .missing }
    return .reward(number)
  }
}
