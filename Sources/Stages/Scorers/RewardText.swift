// How a reward model's text is made, by the options of its scorer: the template, what it is filled with, its length, and the token
// at which the score is read. `RewardReader` does it.

import Experiments
import JSON
import Models

/// Without options it is the template's text as it is, read at its last token.
///
/// Source: METHODS 1.5, the reward model of CarperAI in ALT: see `docs/guide/models.md`. Deviations: `split: prompt` and the
/// rows' special tokens as ordinary text, so that no summary goes unscored.
package struct RewardText: Sendable {
  static let options =
    [
      template.field, textMarkers.field, strip.field, separator.field, split.field,
      readBefore.field,
    ] + PromptOptions.fieldsWithTruncation

  static let template = StageOption(
    "template", .string, default: "{prompt}{generation}",
    summary: "the text to score, with `{prompt}`, `{generation}` and, by name, other columns")
  static let textMarkers = StageOption(
    "text_markers", .list(.string, count: 0...100), default: [], addedLater: true,
    summary:
      "markers of the template, such as `<|startoftext|>`, that are ordinary text, also for a model that has such a token"
  )
  static let strip = StageOption(
    "strip", .bool, default: false, addedLater: true,
    summary: "whether white space at both ends of `{prompt}` and `{generation}` is removed")
  static let separator = StageOption(
    "separator", .optional(.string), default: nil, addedLater: true,
    summary:
      "what ends the prompt, such as `TL;DR:`: `{prompt}` is what stands before it, and the template writes it again"
  )
  static let split = StageOption(
    "split", .choice(Split.self), default: "prompt", original: "everywhere", addedLater: true,
    summary:
      "where `separator` cuts: at the last one of the prompt; or `everywhere`, in prompt and generation, of which the first two pieces are scored"
  )
  static let readBefore = StageOption(
    "read_before", .optional(.string), default: nil, addedLater: true,
    summary:
      "a token, such as `<|endoftext|>`: the score is read at the token before its first one; without one, and by default, at the last token"
  )

  enum Split: String, CaseIterable { case prompt, everywhere }

  /// Of `plumb.json`: how the texts were made on which a model was trained.
  static let trainedKey = "texts"

  let template: String
  let textMarkers: [String]
  let strips: Bool
  let separator: String?
  let split: Split
  let prompts: PromptOptions
  let readBefore: String?
  /// Each option with its value, as a trained model's `plumb.json` keeps them.
  let written: JSON

  package init(_ options: StageOptions) {
    template = options[Self.template]
    textMarkers = options[Self.textMarkers]
    strips = options[Self.strip]
    separator = options[Self.separator]
    split = options[Self.split]
    prompts = PromptOptions(options, truncates: true)
    readBefore = options[Self.readBefore]
    written = .object(
      JSONObject(Self.options.map { ($0.name, options.json[$0.name] ?? $0.defaultValue ?? .null) }))
  }

  /// The options that differ from those with which a model was trained.
  /// - Parameter trained: `written` of a version that may have had other options.
  func differences(from trained: JSON) -> [String] {
    Self.options.map(\.name).filter { name in trained[name].map { $0 != written[name] } ?? false }
  }
}
