// `kind: regex`: whether, or how often, a regular expression matches the generation; needs no model.

import Experiments
import JSON

struct RegexScorer: Scorer {
  static let kind = "regex"
  static let summary = "whether, or how often, a regular expression matches in the generation"
  static let options = [pattern.field, output.field]
  static let columns = ["generations"]

  private static let pattern = StageOption(
    "pattern", .string, aliases: ["regex", "regexp"],
    summary:
      "a regular expression as Python's `re` has them, without what looks back or ahead: `\\b(sorry|cannot)\\b`; `(?i)` at its start ignores case"
  )
  private static let output = StageOption(
    "output", .choice(Output.self), default: "match",
    summary:
      "`match`: 1 where it matches anywhere, else 0; `count`: how many matches stand in the generation, from the left, none inside another and none empty"
  )

  private enum Output: String, CaseIterable { case match, count }

  private let pattern: Result<TextPattern, PatternError>
  private let output: Output

  init(_ options: StageOptions) {
    let source = options[Self.pattern]
    pattern = Result { () throws(PatternError) in try TextPattern(source) }
    output = options[Self.output]
  }

  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    let place = StageFindings.Place.option("scorer.pattern")
    do {
      _ = try pattern.get()
    } catch {
      findings.error(
        .wrongValue, "`pattern`: \(error)", at: place, label: "not a regular expression that can be used")
    }
  }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws {
    let pattern: TextPattern
    do { pattern = try self.pattern.get() } catch { throw InputError("`pattern`: \(error)") }
    for (index, item) in items.enumerated() {
      try context.checkCancellation()
      let text = try item.generation()
      do {
        let count =
          switch output {
          case .match: try pattern.firstMatch(in: text) == nil ? 0 : 1
          case .count: try pattern.matchCount(in: text)
          }
        try emit(item, .reward(Double(count)))
      } catch let error as TextPattern.TooManySteps {
        throw InputError(
          "row `\(item.row.id)`: generation \(item.item): \(error); make `pattern` smaller")
      }
      context.progress(index + 1, of: items.count, unit: "generations")
    }
  }
}
