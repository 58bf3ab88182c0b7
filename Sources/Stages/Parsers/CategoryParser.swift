// `kind: category`: the reply is one of a list of labels.

import Experiments
import JSON

/// Source: METHODS 1.6.3 and 1.6.4, hazard 15. `strip: false` with exact labels is SteerLM's mapping. Deviation: a reply that is
/// none of the labels has no feedback, whichever method reads it.
struct CategoryParser: ReplyParser {
  static let kind = "category"
  static let summary =
    "the reply is one of `labels`; a reply that is none of them has the outcome `off_list` and no feedback"
  static let options = [labels.field, match.field, strip.field]

  /// What a label stands for.
  enum Value: Sendable {
    case itself
    case text(String)
    /// 0 is the best.
    case numbered(Int)
  }

  private enum Match: String, CaseIterable {
    case exact
    case ignoreCase = "ignore_case"
  }

  private static let value = OptionValueType<Value>.either(
    .mapped(.string) { .text($0) }, .mapped(.integer(0...1_000_000)) { .numbered($0) })
  private static let labels = StageOption<[(name: String, value: Value)]>(
    "labels",
    .either(
      .mapped(.list(.string, count: 1...1000)) { $0.map { (name: $0, value: .itself) } },
      .mapping(value, count: 1...1000)),
    summary:
      "the labels; or a mapping from each to a text, which is its feedback instead, or to the number of its class, 0 the best: the label is then the feedback, and the column `quantiles` holds the class"
  )
  private static let match = StageOption(
    "match", .choice(Match.self), default: "exact",
    summary: "whether a reply must be a label letter by letter, or but for upper and lower case")
  private static let strip = StageOption(
    "strip", .bool, default: true, original: false,
    summary: "whether white space at both ends of the reply does not count")

  private let labels: [(name: String, value: Value)]
  private let match: Match
  private let strips: Bool

  init(_ options: StageOptions) {
    labels = options[Self.labels]
    match = options[Self.match]
    strips = options[Self.strip]
  }

  private var classes: [Int] {
    labels.compactMap { if case .numbered(let number) = $0.value { number } else { nil } }
  }

  var columns: [String] { classes.isEmpty ? ["feedbacks"] : ["feedbacks", "quantiles"] }
  var classCount: Int? { classes.count == labels.count ? classes.max().map { $0 + 1 } : nil }

  private func key(_ text: String) -> UTF8Key {
    UTF8Key(match == .exact ? text : text.lowercased())
  }

  func check(_ findings: inout StageFindings) {
    if !classes.isEmpty, classes.count < labels.count {
      findings.error(
        .conflictingOptions, "`labels` gives some labels a class and others a text",
        at: .option("parser.labels"),
        label: "both", help: "give each the number of its class, or each a text")
    }
    var seen: [UTF8Key: String] = [:]
    for (index, label) in labels.enumerated() {
      let place: StageFindings.Place
      if case .itself = label.value {
        place = .option("parser.labels.\(index)")
      } else {
        place = .option("parser.labels.\(label.name)")
      }
      if label.name.isEmpty {
        findings.error(.wrongValue, "a label of `labels` is empty", at: place, label: "empty")
      } else if strips, !label.name.strippedOfWhitespace.utf8.elementsEqual(label.name.utf8) {
        findings.error(
          .wrongValue,
          "the label \(JSON.string(label.name).text()) has white space at its ends, and replies are read without it",
          at: place, label: "no reply is this label", help: "remove the white space, or write `strip: false`")
      } else if let earlier = seen.updateValue(label.name, forKey: key(label.name)) {
        findings.error(
          .wrongValue,
          UTF8Key(earlier) == UTF8Key(label.name)
            ? "`labels` contains `\(label.name)` twice"
            : "`labels` contains `\(earlier)` and `\(label.name)`, which `match: ignore_case` takes for one",
          at: place, label: "given twice")
      }
    }
  }

  func parse(_ reply: String) -> ParsedReply {
    let said = key(strips ? reply.strippedOfWhitespace : reply)
    guard let label = labels.first(where: { key($0.name) == said }) else {
      return .offList("is none of `labels`")
    }
    return switch label.value {
    case .itself: .parsed([.string(label.name)])
    case .text(let text): .parsed([.string(text)] + (classes.isEmpty ? [] : [.null]))
    case .numbered(let number): .parsed([.string(label.name), .int(Int64(number))])
    }
  }
}
