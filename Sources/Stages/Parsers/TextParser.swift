// `kind: text`: the reply is the feedback.

import Experiments
import JSON

/// Source: METHODS 1.6.3: ALT-LMC stores replies verbatim.
struct TextParser: ReplyParser {
  static let kind = "text"
  static let summary = "the reply is the feedback, whatever it says"
  static let options = [strip.field]

  private static let strip = StageOption(
    "strip", .bool, default: false,
    summary: "whether white space at both ends of the reply is removed")

  let columns = ["feedbacks"]
  private let strips: Bool

  init(_ options: StageOptions) { strips = options[Self.strip] }

  func parse(_ reply: String) -> ParsedReply {
    .parsed([.string(strips ? reply.strippedOfWhitespace : reply)])
  }
}
