// `kind: regex`: named groups of a regular expression.

import Experiments
import JSON

struct RegexParser: ReplyParser {
  static let kind = "regex"
  static let summary =
    "the first match of a regular expression in the reply: each named group is a column"
  static let options = [pattern.field, ReplyParts.numbers.field, strip.field]

  private static let pattern = StageOption(
    "pattern", .string, aliases: ["regex", "regexp"],
    summary:
      "a regular expression as Python's `re` has them, without what looks back or ahead: `Feedback: (?<feedbacks>.*?)\\s*Score: (?<scores>[\\d.]+)`; `(?s)` at its start lets `.` match the ends of lines too. A group that has no part in the match gives null"
  )
  private static let strip = StageOption(
    "strip", .bool, default: true,
    summary: "whether white space at both ends of what a group matches is removed")

  private let pattern: Result<TextPattern, PatternError>
  private let parts: ReplyParts
  private let numbers: [String]
  private let strips: Bool

  init(_ options: StageOptions) {
    let source = options[Self.pattern]
    pattern = Result { () throws(PatternError) in try TextPattern(source) }
    numbers = options[ReplyParts.numbers]
    parts = ReplyParts(columns: (try? pattern.get())?.groupNames ?? [], numbers: numbers)
    strips = options[Self.strip]
  }

  var columns: [String] { parts.columns }

  func check(_ findings: inout StageFindings) {
    let place = StageFindings.Place.option("parser.pattern")
    do {
      if try pattern.get().groupNames.isEmpty {
        findings.error(
          .wrongValue, "`pattern` has no named group, so nothing would be read", at: place, label: "no group",
          help: "name what is to be a column: `(?<feedbacks>…)`")
      }
      findings.check(numbers: numbers, among: columns)
    } catch {
      findings.error(
        .wrongValue, "`pattern`: \(error)", at: place, label: "not a regular expression that can be used")
    }
  }

  func parse(_ reply: String) throws -> ParsedReply {
    let pattern: TextPattern
    do { pattern = try self.pattern.get() } catch { throw InputError("`parser.pattern`: \(error)") }
    let match: TextPattern.Match?
    do {
      match = try pattern.firstMatch(in: reply)
    } catch { throw InputError("`parser.pattern`: \(error); make the expression smaller") }
    guard let match else { return .unparsable("does not match `pattern`") }
    var values: [JSON] = []
    for (number, column) in columns.enumerated() {
      guard let written = match.text(ofGroup: number) else {
        values.append(.null)
        continue
      }
      let text = strips ? written.strippedOfWhitespace : written
      guard let value = parts.value(number, of: text) else {
        return .unparsable("has \(JSON.string(text).text()) for `\(column)`, which is no number")
      }
      values.append(value)
    }
    return .parsed(values)
  }
}

extension StageFindings {
  /// Each name of `numbers` should be a column of the parser, but for those of the default.
  mutating func check(numbers: [String], among columns: [String]) {
    for (index, name) in numbers.enumerated()
    where name != "scores" && !columns.contains(where: { UTF8Key($0) == UTF8Key(name) }) {
      error(
        .unknownField, "`numbers` names `\(name)`, which the parser does not read",
        at: .option("parser.numbers.\(index)"), label: "not read",
        help: Suggestion.helpOrList(for: name, among: columns, what: "it reads"))
    }
  }
}
