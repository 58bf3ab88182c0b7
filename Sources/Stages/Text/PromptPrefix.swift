// What stands before a prompt when a model is sampled from: the prefix a condition asks for, and the token that opens a text.

import JSON
import Models
import Runner

/// How samples are asked for; the words of `condition:`.
package enum ConditionChoice: Sendable, Equatable {
  case none
  /// The best class of a conditioned model; nothing on a model that was never conditioned.
  case best
  /// 0 is the best.
  case numbered(Int)
  case text(String)
}

package struct PromptPrefix: Sendable {
  /// Nil when prompts stand alone.
  package let text: String?
  /// As the experiment's author wrote it; empty when prompts stand alone.
  package let written: ModelText
  /// What a sample must not hold: see `undrawableTokens`.
  package let bannedTokens: [Int32]

  /// - Throws: `InputError` when the model lacks the class, or its `plumb.json` is not ours. `note` hears when `best` means
  ///   nothing.
  package init(
    _ choice: ConditionChoice, of checkpoint: Checkpoint, _ tokenizer: Tokenizer, note: (String) -> Void
  ) throws {
    let conditioning = try Conditioning(checkpoint)
    _ = try conditioning?.classTokens(tokenizer)
    bannedTokens = try undrawableTokens(checkpoint, tokenizer)
    let wanted: Int
    switch choice {
    case .none:
      (text, written) = (nil, ModelText())
      return
    case .text(let prefix):
      (text, written) = (prefix, ModelText(literal: prefix))
      return
    case .best: wanted = 0
    case .numbered(let number): wanted = number
    }
    guard let conditioning else {
      guard choice == .best else {
        throw InputError(
          "`condition: {class: \(wanted)}` asks for a class, but the model was never conditioned: \(checkpoint.path)"
        )
      }
      note("`condition: best`: the model was never conditioned, so nothing is put before prompts")
      (text, written) = (nil, ModelText())
      return
    }
    guard conditioning.prefixes.indices.contains(wanted) else {
      throw InputError(
        "`condition` asks for class \(wanted), but the model has classes 0 to \(conditioning.prefixes.count - 1)"
      )
    }
    let prefix = conditioning.prefixes[wanted]
    (text, written) = (prefix, conditioning.text(prefix))
  }
}

extension ModelText {
  /// The ids of all that is put into the model before it goes on by itself. `name` is what errors call the prompt.
  /// - Throws: `InputError` when there is nothing to go on from, or no room for `newTokens`.
  package func promptTokens(
    named name: String, _ tokenizer: Tokenizer, newTokens: Int, contextLength: Int
  ) throws -> [Int32] {
    let all = tokens(tokenizer)
    guard !all.isEmpty else { throw InputError("\(name): the prompt is empty") }
    let (length, overflows) = all.count.addingReportingOverflow(newTokens)
    guard !overflows, length <= contextLength else {
      throw InputError(
        "\(name): a prompt of \(all.count) tokens and `max_new_tokens` \(newTokens) exceed the model's context of \(contextLength)"
      )
    }
    return all
  }
}
