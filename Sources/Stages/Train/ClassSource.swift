// Where the class of a sample stands: a column of class numbers, or one of what an annotator said, with a label for each class.

import Experiments
import JSON
import System

/// Options of a conditioning with classes.
struct ClassSource: Sendable {
  /// What an annotator says of one class, and the class's text.
  struct Label: Sendable {
    /// A text or an integer.
    let value: JSON
    let text: String

    init(_ value: JSON, text: String? = nil) {
      self.value = value
      self.text = text ?? value.stringValue ?? value.text()
    }
  }

  enum Match: String, CaseIterable {
    case exact
    case ignoreCase = "ignore_case"
  }
  /// Samples that are trained on though they have no class.
  enum Kept: String, CaseIterable {
    case offList = "off_list"
    case missing
  }

  let column: String
  /// Best first; nil where the column holds class numbers, or a text of each sample's own.
  let labels: [Label]?
  let match: Match
  let kept: [Kept]

  static let classNumbers = "quantiles"

  static let column = StageOption(
    "column", .string, default: .string(classNumbers), addedLater: true,
    summary: "the column by sample that holds the class: its number, 0 the best, or one of `labels`")
  private static let value = StageOption<JSON>(
    "value",
    .either(.mapped(.string) { .string($0) }, .mapped(.integer(0...1000)) { .int(Int64($0)) }),
    summary: "what the column holds; of an integer, numbers with this integer part")
  private static let text = StageOption("text", .string, summary: "the class's text")
  private static let labels = StageOption<[Label]?>(
    "labels",
    .optional(
      .list(
        .either(
          .mapped(.string) { Label(.string($0)) }, .mapped(.integer(0...1000)) { Label(.int(Int64($0))) },
          .object([value.field, text.field]) { Label($0[value], text: $0[text]) }), count: 1...1000)),
    default: nil, addedLater: true,
    summary:
      "what `column` holds for each class, best first; `{value: …, text: …}` where the model reads another text"
  )
  private static let match = StageOption(
    "match", .choice(Match.self), default: "exact", addedLater: true,
    summary: "whether labels are compared with or without regard to the case of letters")
  private static let keep = StageOption(
    "keep", .list(.choice(Kept.self), count: 0...2), default: [], original: ["off_list"], addedLater: true,
    summary:
      "samples that are trained on though they are of no class: `off_list`, with their own entry as the text; `missing`, those that have null, without conditioning. Others are left out, and counted"
  )

  static let fields = [column.field, labels.field, match.field, keep.field]

  init(_ options: StageOptions) {
    column = options[Self.column]
    labels = options[Self.labels]
    match = options[Self.match]
    kept = options[Self.keep]
  }

  /// Which class an entry of the column is of; nil for none of them.
  func label(_ entry: JSON) -> Int? { labels?.firstIndex { isEqual(entry, $0.value) } }

  private func isEqual(_ entry: JSON, _ label: JSON) -> Bool {
    if let name = label.stringValue {
      guard let text = entry.stringValue else { return false }
      return switch match {
      case .exact: text.utf8.elementsEqual(name.utf8)
      case .ignoreCase: text.lowercased().utf8.elementsEqual(name.lowercased().utf8)
      }
    }
    guard let number = entry.doubleValue, let name = label.intValue else { return false }
    return number.rounded(.towardZero) == Double(name)
  }
}
