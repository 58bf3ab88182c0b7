// What a parser is: what `annotate` reads out of a reply, with its own options.

import Experiments
import JSON

/// One value of `parser.kind`. A parser is made from its options alone; what it reads depends on these and the reply, and on nothing else.
package protocol ReplyParser: Sendable {
  /// The word that is written.
  static var kind: String { get }
  static var summary: String { get }
  /// Its options beside `kind`.
  static var options: [OptionField] { get }

  init(_ options: StageOptions)

  /// The columns that it gives, each once.
  var columns: [String] { get }
  /// How many classes the column `quantiles` holds, where it gives that.
  var classCount: Int? { get }

  /// What is wrong before anything has run. Its options stand below `parser`: `.option("parser.pattern")`.
  func check(_ findings: inout StageFindings)

  /// - Throws: `InputError` for options that are wrong, or a reply that costs too much.
  func parse(_ reply: String) throws -> ParsedReply
}

extension ReplyParser {
  package var classCount: Int? { nil }
  package func check(_ findings: inout StageFindings) {}
}

/// What a parser makes of a reply.
package enum ParsedReply: Sendable, Equatable {
  /// A value for each of the parser's columns, in their order.
  case parsed([JSON])
  /// It is not written as the parser reads it. The reason follows "the reply ".
  case unparsable(String)
  /// What it says is none of the values that are allowed. The reason follows "the reply ".
  case offList(String)
}

/// In the order in which pages list them.
package let replyParsers: [any ReplyParser.Type] = [
  TextParser.self, CategoryParser.self, AnalysisFeedbackScoreParser.self, RegexParser.self, JSONParser.self,
]

/// What reads named parts of a reply has a column for each, and says which of them hold numbers.
struct ReplyParts: Sendable {
  static let numbers = StageOption(
    "numbers", .list(.string, count: 0...100), default: ["scores"],
    summary: "columns whose parts are numbers; `3`, `2.5`, `3.` and `.5` are")

  let columns: [String]
  private let isNumber: [Bool]

  init(columns: [String], numbers: [String]) {
    self.columns = columns
    isNumber = columns.map { column in numbers.contains { UTF8Key($0) == UTF8Key(column) } }
  }

  /// The value of a column by its number; nil for a text that should be a number and is none.
  func value(_ column: Int, of text: String) -> JSON? {
    isNumber[column] ? replyNumber(text).map { .double($0) } : .string(text)
  }

  func holdsNumber(_ column: Int) -> Bool { isNumber[column] }
}

/// A decimal number as people write it, white space around it left out; nil for any other text, and for one beyond a double's range.
func replyNumber(_ text: String) -> Double? {
  var digits = ""
  for scalar in text.strippedOfWhitespace.unicodeScalars {
    if scalar.isPatternDigit, let value = scalar.properties.numericValue {
      digits += String(Int(value))
    } else if "+-.eE".unicodeScalars.contains(scalar) {
      digits.unicodeScalars.append(scalar)
    } else {
      return nil
    }
  }
  return Double(digits).flatMap { $0.isFinite ? $0 : nil }
}
