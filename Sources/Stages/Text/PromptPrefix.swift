// What stands before a prompt when a model is sampled from: what a condition asks for, the same for all prompts or each one's own.

import Experiments
import JSON
import Models

/// How samples are asked for; the words of `condition:`.
package enum ConditionChoice: Sendable, Equatable {
  case none
  /// The best class of a conditioned model; nothing on a model that was never conditioned.
  case best
  /// 0 is the best.
  case numbered(Int)
  case text(String)
  /// The entry of a column of the row in a template, that of the model where nil; nothing where the entry is null.
  case column(String, template: String?)
}

package struct PromptPrefix: Sendable {
  /// Of one prompt.
  package struct Prefix: Sendable {
    /// Nil when the prompt stands alone.
    package let text: String?
    /// With what of it the experiment's author wrote; empty when the prompt stands alone.
    package let written: ModelText

    fileprivate static let none = Prefix(text: nil, written: ModelText())
  }

  private enum Source {
    case same(Prefix)
    /// One of these, by the row.
    case exemplars([Prefix])
    case column(String, ValueTemplate?, Conditioning)
  }
  private let source: Source
  private let seed: UInt64
  /// What a sample must not hold: see `undrawableTokens`.
  package let bannedTokens: [Int32]

  /// - Parameters:
  ///   - seed: of the choice among exemplars.
  ///   - note: hears when `best` means nothing.
  /// - Throws: `InputError` when the model lacks the class, or its `plumb.json` is not ours.
  package init(
    _ choice: ConditionChoice, of checkpoint: Checkpoint, _ tokenizer: Tokenizer, seed: UInt64,
    note: (String) -> Void
  ) throws {
    let conditioning = try Conditioning(checkpoint)
    _ = try conditioning?.classTokens(tokenizer)
    bannedTokens = try undrawableTokens(checkpoint, tokenizer)
    self.seed = seed
    switch choice {
    case .none: source = .same(.none)
    case .text(let prefix): source = .same(Prefix(text: prefix, written: ModelText(literal: prefix)))
    case .column(let column, let template?):
      source = .column(column, try ValueTemplate(template), Conditioning(kind: .text))
    case .column(let column, nil):
      source = .column(column, conditioning?.template, conditioning ?? Conditioning(kind: .text))
    case .best where conditioning == nil:
      note("`condition: best`: the model was never conditioned, so nothing is put before prompts")
      source = .same(.none)
    case .best: source = try Self.source(ofClass: 0, conditioning, checkpoint)
    case .numbered(let wanted): source = try Self.source(ofClass: wanted, conditioning, checkpoint)
    }
  }

  private static func source(ofClass wanted: Int, _ conditioning: Conditioning?, _ checkpoint: Checkpoint)
    throws -> Source
  {
    guard let conditioning else {
      throw InputError(
        "`condition: {class: \(wanted)}` asks for a class, but the model was never conditioned: \(checkpoint.path)"
      )
    }
    if let template = conditioning.template, conditioning.classCount == 0 {
      throw InputError(
        "`condition` asks for class \(wanted), but the model was trained with texts of the samples' own, as `\(template.source)`, and keeps none of the best; `best_by` of `train` keeps them, and `condition: {column: …}` gives texts"
      )
    }
    guard (0..<conditioning.classCount).contains(wanted) else {
      throw InputError(
        "`condition` asks for class \(wanted), but the model has classes 0 to \(conditioning.classCount - 1)"
      )
    }
    if let template = conditioning.template {
      return .exemplars(
        try conditioning.exemplars.map {
          Prefix(
            text: try template.text(.string($0)).text,
            written: try conditioning.text(.string($0), in: template))
        })
    }
    let prefix = conditioning.prefixes[wanted]
    return .same(Prefix(text: prefix, written: conditioning.text(prefix)))
  }

  /// What stands before a row's prompt.
  /// - Throws: `InputError` naming the row.
  package func prefix(of row: Row) throws -> Prefix {
    switch source {
    case .same(let prefix): return prefix
    case .exemplars(let prefixes):
      return prefixes[
        shuffled(Array(prefixes.indices), seed: seed, .drawExemplar, id: row.id)[0]]
    case .column(let column, let template, let conditioning):
      guard let value = row[column] else { throw InputError("row `\(row.id)`: no column `\(column)`") }
      if value.isNull { return .none }
      guard let template else {
        throw InputError(
          "row `\(row.id)`: `condition` names the column `\(column)`, but neither it nor the model says how its text stands before a prompt; write `condition: {column: \(column), template: \"{value} \"}`"
        )
      }
      return try row.inputErrors {
        Prefix(text: try template.text(value).text, written: try conditioning.text(value, in: template))
      }
    }
  }

  /// Of a prompt that is of no row.
  package func prefix() -> Prefix {
    switch source {
    case .same(let prefix): prefix
    case .exemplars(let prefixes): prefixes.first ?? .none
    case .column: .none
    }
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
