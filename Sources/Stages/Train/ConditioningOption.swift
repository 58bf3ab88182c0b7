// `conditioning:` of `train`: how a class is given to the model.

import JSON
import Runner

enum ConditioningChoice: Sendable {
  /// One added token a class, which starts as the mean of the words' embeddings, or as noise where there are none.
  case tokens(classes: Int, opening: String, words: [String]?)
  /// One prefix a class, best first.
  case text(prefixes: [String], opening: String)
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
    case .tokens(_, let opening, _): [("conditioning.opening", opening)]
    case .text(let prefixes, let opening):
      prefixes.enumerated().map { ("conditioning.prefixes.\($0)", $1) } + [("conditioning.opening", opening)]
    case .none: []
    }
  }

  var classCount: Int { conditioning?.prefixes.count ?? 0 }

  var conditioning: Conditioning? {
    switch self {
    case .tokens(let classes, let opening, _): .quantileTokens(classes, after: opening)
    case .text(let prefixes, let opening): Conditioning(kind: .text, prefixes: prefixes, opening: opening)
    case .none: nil
    }
  }
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
  "prefixes", .list(.string, count: 1...1000), summary: "one prefix a class, best first")

extension TrainStage {
  static let conditioning = StageOption(
    "conditioning",
    .variant([
      OptionCase(
        "tokens", [classes.field, opening.field, words.field],
        summary: "one added token a class, `_QUANTILE_TOKEN_k_`"
      ) {
        ConditioningChoice.tokens(classes: $0[classes], opening: $0[opening], words: $0[words])
      },
      OptionCase(
        "text", [prefixes.field, opening.field],
        summary: "one text a class, put before the prompt as it is"
      ) {
        ConditioningChoice.text(prefixes: $0[prefixes], opening: $0[opening])
      },
      OptionCase("none", [], summary: "no conditioning: the classes are ignored") { _ in
        ConditioningChoice.none
      },
    ]), default: ["kind": "tokens", "classes": 5, "opening": "", "words": nil],
    summary: "how a class is given to the model, with any objective; rows without classes need `none`")
}
