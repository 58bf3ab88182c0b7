// A condition that a record must satisfy to become a row: tests of one field, all of which must hold.

import Experiments
import JSON

struct RecordCondition {
  let field: String
  private let tests: [Test]

  private enum Test {
    case isAny([JSON])
    case isNone([JSON])
    case differs(from: String)
    case number(Comparison, Double)
    case contains(String)
    case lacks(String)
    case count(Unit, LengthRange)
  }

  private enum Comparison: CaseIterable {
    case less, greater, atLeast, atMost
  }

  /// What the length of a text is counted in.
  enum Unit: String, CaseIterable { case characters, words, tokens }

  struct LengthRange {
    let atLeast: Int?
    let atMost: Int?
  }

  /// The fields that it reads.
  var fieldNames: [String] {
    [field] + tests.compactMap { if case .differs(let other) = $0 { other } else { nil } }
  }

  var countsTokens: Bool {
    tests.contains { if case .count(.tokens, _) = $0 { true } else { false } }
  }

  /// - Parameter tokenCount: how many tokens a text has; nil where no tokenizer is at hand, and such a test holds.
  /// - Throws: `BadRecord` for a record without a field, or with one that cannot be tested so.
  func holds(_ fields: RecordFields, tokenCount: ((String) -> Int)?) throws -> Bool {
    for test in tests where try !holds(test, fields, tokenCount) { return false }
    return true
  }

  private func holds(_ test: Test, _ fields: RecordFields, _ tokenCount: ((String) -> Int)?) throws -> Bool {
    switch test {
    case .isAny(let values): return values.contains(try fields.field(field, option: "where"))
    case .isNone(let values): return !values.contains(try fields.field(field, option: "where"))
    case .differs(let other):
      return try fields.field(field, option: "where") != fields.field(other, option: "where")
    case .number(let comparison, let bound):
      let number = try number(fields)
      switch comparison {
      case .less: return number < bound
      case .greater: return number > bound
      case .atLeast: return number >= bound
      case .atMost: return number <= bound
      }
    case .contains(let part): return try fields.text(field, option: "where").firstPlace(of: part) != nil
    case .lacks(let part): return try fields.text(field, option: "where").firstPlace(of: part) == nil
    case .count(let unit, let range):
      let text = try fields.text(field, option: "where")
      let count: Int
      switch unit {
      case .characters: count = text.unicodeScalars.count
      case .words: count = text.wordCount
      case .tokens:
        guard let tokenCount else { return true }
        count = tokenCount(text)
      }
      return count >= range.atLeast ?? 0 && count <= range.atMost ?? .max
    }
  }

  /// A number, or a text that spells one, as every number in CSV is.
  private func number(_ fields: RecordFields) throws -> Double {
    let value = try fields.field(field, option: "where")
    if let number = value.doubleValue { return number }
    if let text = value.stringValue,
      let number = (try? Array(text.utf8).withUnsafeBytes { try JSON(parsing: $0) })?.doubleValue
    {
      return number
    }
    throw fields.bad(
      "where",
      "field `\(field)` is \(value.kind); expected a number\(value.stringValue == nil ? "" : ", or a text that spells one")"
    )
  }

  /// What is wrong with it as the condition of this place in the list.
  func problem(at index: Int) -> OptionProblem? {
    if tests.isEmpty {
      return OptionProblem(
        option: "where.\(index)", message: "`where.\(index)` does not test `\(field)`", label: "no test",
        help:
          "write one of `is`, `not`, `differs_from`, `less`, `greater`, `at_least`, `at_most`, `contains`, "
          + "`lacks`, `characters`, `words` and `tokens`")
    }
    for case .count(let unit, let range) in tests {
      let option = "where.\(index).\(unit.rawValue)"
      if range.atLeast == nil, range.atMost == nil {
        return OptionProblem(
          option: option, message: "`\(option)` has no bound", label: "no bound",
          help: "write `at_least`, `at_most` or both")
      }
      if let least = range.atLeast, let most = range.atMost, least > most {
        return OptionProblem(
          code: .conflictingOptions, option: option,
          message: "`\(option)`: no text has at least \(least) and at most \(most)",
          label: "cannot be satisfied")
      }
    }
    return nil
  }
}

// MARK: what is written

extension RecordCondition {
  private static let field = StageOption(
    "field", .string, summary: "a field, or a path of fields joined by dots")
  private static let scalar = OptionValueType<JSON>.mapped(
    .optional(
      .either(
        .mapped(.bool) { JSON.bool($0) }, .mapped(.integer(Int.min...Int.max)) { .int(Int64($0)) },
        .mapped(.number(-1e300...1e300)) { .double($0) }, .mapped(.string) { .string($0) }))
  ) { $0 ?? .null }
  private static func values(_ name: String, _ summary: String) -> StageOption<[JSON]> {
    StageOption(
      name, .either(.list(scalar, count: 0...1024), .mapped(scalar) { [$0] }), default: [], addedLater: true,
      summary: summary)
  }
  private static let isAny = values(
    "is",
    "the value it must have, or a list of values, one of which it must have; `null` matches a field that is present and null"
  )
  private static let isNone = values("not", "the value it must not have, or a list of them")
  private static let differs = StageOption(
    "differs_from", .optional(.string), default: nil, addedLater: true,
    summary: "another field, whose value it must not have")
  private static func bound(_ name: String, _ summary: String) -> StageOption<Double?> {
    StageOption(
      name, .optional(.number(-1e300...1e300)), default: nil, addedLater: true, summary: summary)
  }
  private static let less = bound(
    "less", "it must be a number below this one; a text that spells a number is one")
  private static let greater = bound("greater", "it must be a number above this one")
  private static let atLeast = bound("at_least", "it must be a number that is this one or above")
  private static let atMost = bound("at_most", "it must be a number that is this one or below")
  private static func part(_ name: String, _ summary: String) -> StageOption<String?> {
    StageOption(name, .optional(.string), default: nil, addedLater: true, summary: summary)
  }
  private static let contains = part("contains", "a text that must stand somewhere in it")
  private static let lacks = part("lacks", "a text that must stand nowhere in it")

  private static let fewest = StageOption(
    "at_least", .optional(.integer(0...Int.max)), default: nil, summary: "no fewer than these")
  private static let most = StageOption(
    "at_most", .optional(.integer(0...Int.max)), default: nil, summary: "no more than these")
  private static func count(_ unit: Unit, _ summary: String) -> StageOption<LengthRange?> {
    StageOption(
      unit.rawValue,
      .optional(
        .object([fewest.field, most.field]) { LengthRange(atLeast: $0[fewest], atMost: $0[most]) }),
      default: nil, addedLater: true, summary: summary)
  }
  private static let characters = count(
    .characters, "how many characters (Unicode code points) the text must have")
  private static let words = count(
    .words, "how many words it must have, as `str.split` of Python counts them")
  private static let tokens = count(
    .tokens,
    "how many tokens it must have, alone, without one that begins or ends it; needs the input `tokenizer`")

  static let type = OptionValueType.object([
    field.field, isAny.field, isNone.field, differs.field, less.field, greater.field, atLeast.field,
    atMost.field, contains.field, lacks.field, characters.field, words.field, tokens.field,
  ]) { RecordCondition($0) }

  private init(_ options: StageOptions) {
    field = options[Self.field]
    var tests: [Test] = []
    if !options[Self.isAny].isEmpty { tests.append(.isAny(options[Self.isAny])) }
    if !options[Self.isNone].isEmpty { tests.append(.isNone(options[Self.isNone])) }
    if let other = options[Self.differs] { tests.append(.differs(from: other)) }
    for (comparison, option) in [
      (Comparison.less, Self.less), (.greater, Self.greater), (.atLeast, Self.atLeast),
      (.atMost, Self.atMost),
    ] {
      if let bound = options[option] { tests.append(.number(comparison, bound)) }
    }
    if let part = options[Self.contains] { tests.append(.contains(part)) }
    if let part = options[Self.lacks] { tests.append(.lacks(part)) }
    for (unit, option) in [(Unit.characters, Self.characters), (.words, Self.words), (.tokens, Self.tokens)] {
      if let range = options[option] { tests.append(.count(unit, range)) }
    }
    self.tests = tests
  }
}
