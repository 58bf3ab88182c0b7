// How many tokens of a text a model reads, and what becomes of a text that has more: the options `max_length`, `overflow` and `cut`.

import Experiments
import JSON

package struct LengthPolicy: Sendable {
  package enum Overflow: String, CaseIterable, Sendable {
    /// Nothing is computed, and one error counts the texts that are too long.
    case fail
    /// Such a text is left out.
    case drop
    /// One field of it is cut.
    case cut
    /// The text's tokens beyond `max_length` are left away, whatever they stand for.
    case truncate
  }

  struct Cut: Sendable {
    let side: TextCut.Side
    /// Nil is the whole prompt.
    let field: String?
  }

  /// The fields that are there without `prompt_fields`.
  static let prompt = "prompt"
  static let generation = "generation"

  static let maximum = StageOption(
    "max_length", .optional(.integer(1...Int(Int32.max))), default: nil, addedLater: true,
    aliases: ["max_input_length", "max_seq_length", "max_prompt_length", "model_max_length", "cutoff_len"],
    summary:
      "how many tokens the model reads of a text, conditioning and prompt and, where it is read, the generation with its end token included; null is as many as the model's context allows, in `sample` less `max_new_tokens`"
  )
  static let overflow = StageOption(
    "overflow", .choice([Overflow.fail, .drop, .cut].map { ($0.rawValue, $0) }), default: "fail",
    addedLater: true, aliases: ["truncation", "on_overflow"], summary: words)
  /// Of a scorer that reads what is left of a text where the originals do.
  static let overflowOrTruncation = StageOption(
    "overflow", .choice(Overflow.self), default: "truncate", addedLater: true,
    summary: words
      + "; `truncate`, with a `max_length` that is written, tokens are taken away at the end that `truncation` says, whatever they stand for; without `max_length` it is `fail`"
  )
  private static let words =
    "what happens to a text of more than `max_length` tokens: `fail`, an error that counts them, before anything is computed; `drop`, it is left out; `cut`, it is cut as `cut` says"
  static let truncation = StageOption(
    "truncation", .choice(TextCut.Side.self), default: "right", addedLater: true,
    aliases: ["truncation_side"], summary: "with `overflow: truncate`: the end at which tokens are taken away"
  )
  static let cut = StageOption<Cut?>(
    "cut",
    .optional(
      .object([side.field, field.field]) { Cut(side: $0[side], field: $0[field]) }),
    default: nil, addedLater: true,
    summary:
      "with `overflow: cut`: the field that is cut, and at which side. What stands before and after it in the text, such as a conditioning or `TL;DR:`, stays. As much of the field stays as fits, in tokens that the field has alone, never a part of a character"
  )
  private static let side = StageOption(
    "side", .choice(TextCut.Side.self), summary: "the side at which it is cut")
  private static let field = StageOption<String?>(
    "field", .optional(.string), default: nil,
    summary:
      "a field of the prompt's template that `cuttable` of `data` lists; `prompt`, and null, the whole prompt; `generation`, at the right, where the model reads it: it is then without end token"
  )

  static let fields = [maximum.field, overflow.field, cut.field]
  /// The originals cut prompts at their right, and with them what asks for the answer.
  static let fieldsOfTraining = [
    maximum.field, overflow.field.originally("cut"), cut.field.originally(["side": "right", "field": nil]),
  ]
  static let fieldsWithTruncation = [
    maximum.field, overflowOrTruncation.field, truncation.field, cut.field,
  ]

  let maximum: Int?
  let overflow: Overflow
  /// Where `overflow` is `cut`.
  let cut: Cut?
  /// Whether `cut` says something though nothing is cut.
  let hasUnusedCut: Bool
  /// Where `overflow` is `truncate`.
  let truncation: TextCut.Side

  /// - Parameter truncates: whether the options are `fieldsWithTruncation`.
  init(_ options: StageOptions, truncates: Bool) {
    maximum = options[Self.maximum]
    overflow = options[truncates ? Self.overflowOrTruncation : Self.overflow]
    cut = overflow == .cut ? options[Self.cut] : nil
    hasUnusedCut = overflow != .cut && options[Self.cut] != nil
    truncation = truncates ? options[Self.truncation] : .right
  }

  /// Under which name a stage's metrics count what was cut or dropped: `samples_cut`, `samples_dropped`; none where neither can be.
  func lossNames(of noun: String) -> [String] { Self.lossNames(overflow, noun) }

  /// The same where not all options need be right yet.
  static func lossNames(of noun: String, _ options: JSON) -> [String] {
    lossNames(overflow.value(in: options) ?? .fail, noun)
  }

  private static func lossNames(_ overflow: Overflow, _ noun: String) -> [String] {
    switch overflow {
    case .cut: ["\(noun)_cut"]
    case .drop: ["\(noun)_dropped"]
    case .fail, .truncate: []
    }
  }

  var cutsGeneration: Bool { cut?.field == Self.generation }
}
