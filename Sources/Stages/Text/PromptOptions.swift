// How a stage that reads a model gives it the texts of rows: the options that all of these stages have.

import Experiments

/// Each stage includes `fields` among its options, and hands the value to `PromptReader`.
package struct PromptOptions: Sendable {
  static let fields = own + LengthPolicy.fields
  static let fieldsWithTruncation = own + LengthPolicy.fieldsWithTruncation
  static let fieldsOfTraining = own + LengthPolicy.fieldsOfTraining
  private static let own = [specialTokens.field, ChatOption.option.field]

  enum SpecialTokens: String, CaseIterable { case text, parse }

  static let specialTokens = StageOption(
    "special_tokens", .choice(SpecialTokens.self), default: "text", addedLater: true,
    aliases: ["parse_special", "split_special_tokens"],
    summary:
      "special tokens that fields of the rows spell, in prompts and generations: `text`, ordinary text; `parse`, the special tokens. Those that the author of a template wrote are always read"
  )

  let specialTokens: SpecialTokens
  /// Nil where texts are given to the model as they are.
  let chat: ChatOption?
  let length: LengthPolicy

  /// The defaults.
  package init() { self.init(StageOptions([:])) }

  /// - Parameter truncates: whether the options are `fieldsWithTruncation`.
  package init(_ options: StageOptions, truncates: Bool = false) {
    specialTokens = options[Self.specialTokens]
    chat = options[ChatOption.option]
    length = LengthPolicy(options, truncates: truncates)
  }
}
