// How a stage that reads a model gives it the texts of rows: the options that all of these stages have.

import Runner

/// Each stage includes `fields` among its options, and hands the value to `PromptReader`.
package struct PromptOptions: Sendable {
  static let fields = [specialTokens.field, ChatOption.option.field]

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

  /// The defaults.
  package init() {
    specialTokens = .text
    chat = nil
  }

  package init(_ options: StageOptions) {
    specialTokens = options[Self.specialTokens]
    chat = options[ChatOption.option]
  }
}
