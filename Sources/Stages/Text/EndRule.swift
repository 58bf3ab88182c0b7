// Which samples are trained with the end token appended.

import Experiments
import Models

/// The model learns to end where its samples are followed by the end token, and to go on where they are not.
package enum EndRule: Sendable, Equatable {
  /// After samples that ended by themselves or at a stop text; not after those cut at their length, or that ended otherwise.
  case finished
  /// Unless a sample both looks unfinished and has `maximumNewTokens` tokens; where that is nil, was cut at its length.
  ///
  /// Source: METHODS 1.8. A text looks unfinished unless its last character, blanks aside, is one of `.?!`; its tokens are counted anew,
  /// blanks around it left out.
  case terminated(maximumNewTokens: Int?)
  case always
  case never

  /// As an experiment names them.
  enum Name: String, CaseIterable { case finished, terminated, always, never }

  init(_ name: Name, maximumNewTokens: Int?) {
    self =
      switch name {
      case .finished: .finished
      case .terminated: .terminated(maximumNewTokens: maximumNewTokens)
      case .always: .always
      case .never: .never
      }
  }

  /// - Parameters:
  ///   - finish: how the sample ended, where the rows say it; a given text counts as one that ended.
  /// - Throws: `InputError` without a place when the rows do not say what the rule needs.
  package func appendsEnd(to text: String, finish: SampleFinish?, _ tokenizer: Tokenizer) throws -> Bool {
    switch self {
    case .always: return true
    case .never: return false
    case .finished: return finish != .length && finish != .other
    case .terminated(let cap):
      let scalars = text.unicodeScalars.drop { $0.properties.isWhitespace }
      let stripped = String(
        String.UnicodeScalarView(scalars.reversed().drop { $0.properties.isWhitespace }.reversed()))
      if let last = stripped.unicodeScalars.last, ".?!".unicodeScalars.contains(last) { return true }
      guard let cap else {
        guard let finish else {
          throw InputError(
            "`end: terminated` needs to know which samples were cut: rows with the column `finish`, or the option `max_new_tokens`"
          )
        }
        return finish != .length && finish != .other
      }
      return tokenizer.encode(stripped, isContinuation: true).count != cap
    }
  }
}

extension SampleFinish {
  /// How a sample of a row ended, by `finish` or, in rows written without it, by `finished`; nil where the rows do not say.
  /// - Throws: `InputError` naming the row.
  package init?(_ samples: SampleLists, _ index: Int, of row: Row) throws {
    if let value = samples["finish"]?[index], !value.isNull {
      guard let finish = value.stringValue.flatMap(SampleFinish.init(rawValue:)) else {
        throw InputError(
          "row `\(row.id)`: entry \(index) of `finish` is \(value.text()); expected \"end\", \"stop\", \"length\" or \"other\""
        )
      }
      self = finish
    } else if let value = samples["finished"]?[index], !value.isNull {
      guard let finished = value.boolValue else {
        throw InputError(
          "row `\(row.id)`: entry \(index) of `finished` is \(value.kind); expected true or false")
      }
      self = finished ? .end : .length
    } else {
      return nil
    }
  }
}
