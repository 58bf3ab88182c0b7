// One turn of a conversation, as a chat template is given it.

/// A role and a text of which parts are known by where they came from. Ranges are of UTF-8, ascend and do not overlap.
package struct ChatMessage: Sendable, Equatable {
  package var role: String
  package var text: String
  /// Where special tokens are read.
  package var literals: [Range<Int>]
  /// What is found again in what a template writes, whatever it did with the text.
  package var marks: [MarkedRange]

  package init(role: String, text: String, literals: [Range<Int>] = [], marks: [MarkedRange] = []) {
    self.role = role
    self.text = text
    self.literals = literals
    self.marks = marks
  }

  /// Templates put a role inside a special token: `<|` + role + `|>`.
  static let knownRoles: Set<String> = [
    "assistant", "developer", "function", "ipython", "model", "system", "tool", "user",
  ]

  var templateText: TemplateText {
    var characters: [TemplateCharacter] = []
    var offset = 0
    var (literals, marks) = (literals[...], marks[...])
    for scalar in text.unicodeScalars {
      while let first = literals.first, first.upperBound <= offset { literals.removeFirst() }
      while let first = marks.first, first.range.upperBound <= offset { marks.removeFirst() }
      let mark = marks.first.flatMap { $0.range.contains(offset) ? $0.mark : nil }
      characters.append(
        TemplateCharacter(
          scalar, isField: literals.first?.contains(offset) != true, mark: mark?.rawValue ?? 0))
      offset += UTF8.width(scalar)
    }
    return TemplateText(characters)
  }
}

/// A part of a text, in UTF-8.
package struct MarkedRange: Sendable, Equatable {
  package enum Mark: UInt8, Sendable {
    /// What may be cut where a text is too long.
    case cuttable = 1
    /// Turns of the assistant, by turns, so that two are told apart that touch.
    case answer, nextAnswer
  }
  package let mark: Mark
  package let range: Range<Int>

  package init(_ mark: Mark, _ range: Range<Int>) {
    self.mark = mark
    self.range = range
  }
}
