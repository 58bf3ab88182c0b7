// `conditioning:` of `train`: how a class, or a text of its own, is given to the model with each sample.

import Experiments
import JSON

enum ConditioningChoice: Sendable {
  /// One added token a class, which starts as the mean of the words' embeddings, or as noise where there are none.
  case tokens(classes: Int, opening: String, words: [String]?, of: ClassSource)
  case text(TextConditioning)
  case none

  /// As it is written.
  var kind: String {
    switch self {
    case .tokens: "tokens"
    case .text: "text"
    case .none: "none"
    }
  }

  /// The texts that the author wrote, each with its option.
  var writtenTexts: [(path: String, text: String)] {
    switch self {
    case .tokens(_, let opening, _, _): [("conditioning.opening", opening)]
    case .text(let text): text.writtenTexts
    case .none: []
    }
  }

  /// Where a sample's class, or its own text, stands.
  var source: ClassSource? {
    switch self {
    case .tokens(_, _, _, let source): source
    case .text(let text): text.source
    case .none: nil
    }
  }

  var classCount: Int { conditioning?.prefixes.count ?? 0 }

  /// Nil for none, and where the options contradict each other.
  var conditioning: Conditioning? {
    switch self {
    case .tokens(let classes, let opening, _, _): .quantileTokens(classes, after: opening)
    case .text(let text): text.conditioning
    case .none: nil
    }
  }
}

/// Conditioning of kind `text`.
struct TextConditioning: Sendable {
  let prefixes: [String]?
  let template: String?
  let opening: String
  let separator: SeparatorToken?
  /// The column by which the best samples are known.
  let bestBy: String?
  let source: ClassSource

  /// Whether each sample has a text of its own.
  var isOpen: Bool { prefixes == nil && source.labels == nil }

  /// Nil where the options contradict each other.
  var conditioning: Conditioning? {
    let separator = separator?.token ?? ""
    if let prefixes {
      return template == nil
        ? Conditioning(kind: .text, prefixes: prefixes, opening: opening, separator: separator) : nil
    }
    guard let template, let template = try? ValueTemplate(template) else { return nil }
    guard let labels = source.labels else {
      return Conditioning(kind: .text, template: template, opening: opening, separator: separator)
    }
    let texts = labels.compactMap { try? template.text(.string($0.text)).text }
    return Conditioning(kind: .text, prefixes: texts, opening: opening, separator: separator)
  }

  fileprivate var writtenTexts: [(path: String, text: String)] {
    var texts = (prefixes ?? []).enumerated().map { ("conditioning.prefixes.\($0)", $1) }
    if let literal = template.flatMap({ try? ValueTemplate($0) })?.literal.text {
      texts.append(("conditioning.template", literal))
    }
    return texts + [("conditioning.opening", opening)]
  }
}

/// A token that stands between the conditioning and the prompt, and starts as another one.
struct SeparatorToken: Sendable {
  let token: String
  let like: String
}

private let classes = StageOption(
  "classes", .integer(1...1000), default: 5, summary: "how many tokens")
private let opening = StageOption(
  "opening", .string, default: "",
  summary:
    "text before the class, such as the token that begins a document; many models nearly ignore the first token"
)
private let words = StageOption(
  "words", .optional(.list(.string, count: 1...1000)), default: nil,
  summary:
    "one or more words for each class, best first: its token starts as the mean of their embeddings; with null it starts as noise with the statistics of the other embeddings"
)
private let prefixes = StageOption(
  "prefixes", .optional(.list(.string, count: 1...1000)), default: nil,
  summary: "one prefix a class, best first; without them `template` makes one")
private let template = StageOption(
  "template", .optional(.string), default: nil, addedLater: true,
  summary:
    "text around `{value}`: each label's text, or without `labels` each sample's own entry of `column`, as in `\"feedback: {value} input: \"`"
)
private let bestBy = StageOption(
  "best_by", .optional(.string), default: nil, addedLater: true,
  summary:
    "without `labels`: a column of numbers by sample, such as `scores`; the texts of the samples that have its highest number, at most 64, are kept with the model, and `condition: best` draws one of them for each prompt"
)
private let token = StageOption(
  "text", .string, summary: "the token, such as `<|separator|>`, added to the vocabulary")
private let like = StageOption("like", .string, summary: "the token as whose embedding it starts")
private let separator = StageOption(
  "separator",
  .optional(.object([token.field, like.field]) { SeparatorToken(token: $0[token], like: $0[like]) }),
  default: nil, addedLater: true,
  summary: "a token between the class and the prompt, which is trained and never sampled")

extension TrainStage {
  static let conditioning = StageOption(
    "conditioning",
    .variant([
      OptionCase(
        "tokens", [classes.field, opening.field, words.field] + ClassSource.fields,
        summary: "one added token a class, `_QUANTILE_TOKEN_k_`"
      ) {
        ConditioningChoice.tokens(
          classes: $0[classes], opening: $0[opening], words: $0[words], of: ClassSource($0))
      },
      OptionCase(
        "text",
        [prefixes.field, opening.field, template.field, bestBy.field, separator.field] + ClassSource.fields,
        summary: "one text a class, or a text of each sample's own, put before the prompt as it is"
      ) {
        ConditioningChoice.text(
          TextConditioning(
            prefixes: $0[prefixes], template: $0[template], opening: $0[opening],
            separator: $0[separator], bestBy: $0[bestBy], source: ClassSource($0)))
      },
      OptionCase("none", [], summary: "no conditioning: the classes are ignored") { _ in
        ConditioningChoice.none
      },
    ]), default: ["kind": "tokens", "classes": 5, "opening": "", "words": nil],
    summary: "how a class is given to the model, with any objective; rows without classes need `none`")
}
