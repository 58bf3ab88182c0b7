// `kind: analysis_feedback_score`: a reply in three parts, each after its name.

import Experiments
import JSON

/// Source: METHODS 1.6.2, the parser of ALT-LMU. Each of its peculiarities is an option; with `score_space: one`,
/// `feedback_end: word` and `empty_feedback: keep` it is the original. Deviation: a number beyond a double's range is no score.
struct AnalysisFeedbackScoreParser: ReplyParser {
  static let kind = "analysis_feedback_score"
  static let summary =
    "`Analysis: …`, `Feedback: …` and `Score: …`, each required, with a number after the last"
  static let options = [scoreSpace.field, feedbackEnd.field, emptyFeedback.field, range.field]

  private enum ScoreSpace: String, CaseIterable { case any, one }
  private enum FeedbackEnd: String, CaseIterable { case label, word }
  private enum EmptyFeedback: String, CaseIterable { case refuse, keep }

  private static let scoreSpace = StageOption(
    "score_space", .choice(ScoreSpace.self), default: "any", original: "one",
    summary:
      "what stands between `Score:` and the number: any white space or none; or exactly `one` blank, as ALT-LMU reads it"
  )
  private static let feedbackEnd = StageOption(
    "feedback_end", .choice(FeedbackEnd.self), default: "label", original: "word",
    summary:
      "what ends the analysis and the feedback: the next `Feedback:` or `Score:`; or already the `word` `Feedback` or `Score`, as in `Scored well`, as ALT-LMU reads it"
  )
  private static let emptyFeedback = StageOption(
    "empty_feedback", .choice(EmptyFeedback.self), default: "refuse", original: "keep",
    summary: "whether a reply without a word of feedback is unparsable; ALT-LMU keeps it")
  private static let range = StageOption<[Double]?>(
    "range", .optional(.list(.number(-1e300...1e300), count: 2...2)), default: nil,
    summary:
      "the lowest and the highest score; one outside has the outcome `off_list`. ALT-LMU takes any number: `null`"
  )

  let columns = ["analysis", "feedbacks", "scores"]
  private let scoreSpace: ScoreSpace
  private let feedbackEnd: FeedbackEnd
  private let emptyFeedback: EmptyFeedback
  private let range: [Double]?

  init(_ options: StageOptions) {
    scoreSpace = options[Self.scoreSpace]
    feedbackEnd = options[Self.feedbackEnd]
    emptyFeedback = options[Self.emptyFeedback]
    range = options[Self.range]
  }

  func check(_ findings: inout StageFindings) {
    guard let range, range[0] > range[1] else { return }
    findings.error(
      .wrongValue, "`range` goes from \(range[0]) to \(range[1]), which no score is within",
      at: .option("parser.range"), label: "does not ascend", help: "write the lowest score first")
  }

  func parse(_ reply: String) -> ParsedReply {
    let reply = reply.strippedOfWhitespace
    let (feedbackEnd, scoreEnd) = feedbackEnd == .word ? ("Feedback", "Score") : ("Feedback:", "Score:")
    guard let analysis = part(of: reply, after: "Analysis:", upTo: [feedbackEnd, scoreEnd]) else {
      return .unparsable("has no `Analysis:` with a `\(feedbackEnd)` or `\(scoreEnd)` after it")
    }
    guard let feedback = part(of: reply, after: "Feedback:", upTo: [scoreEnd]) else {
      return .unparsable("has no `Feedback:` with a `\(scoreEnd)` after it")
    }
    if feedback.isEmpty, emptyFeedback == .refuse {
      return .unparsable("has no word of feedback between `Feedback:` and `\(scoreEnd)`")
    }
    guard let written = number(in: reply) else {
      return .unparsable(
        "has no number after `Score:\(scoreSpace == .one ? " ` and one blank" : "`")")
    }
    guard let score = replyNumber(written) else {
      return .unparsable("has the score `\(written)`, no number")
    }
    if let range, score < range[0] || score > range[1] {
      return .offList("has the score \(score), outside of `range`")
    }
    return .parsed([.string(analysis), .string(feedback), .double(score)])
  }

  /// The shortest text after the first `label` up to one of `ends`, without white space around it.
  private func part(of reply: String, after label: String, upTo ends: [String]) -> String? {
    guard let start = reply.firstPlace(of: label)?.upperBound else { return nil }
    let rest = reply.bytes(start..<reply.utf8.count)
    guard let end = ends.compactMap({ rest.firstPlace(of: $0)?.lowerBound }).min() else { return nil }
    return rest.bytes(0..<end).strippedOfWhitespace
  }

  /// The digits and periods after the first `Score:` that has some.
  private func number(in reply: String) -> String? {
    let scalars = Array(reply.unicodeScalars)
    let label = Array("Score:".unicodeScalars)
    var position = 0
    while position + label.count < scalars.count {
      guard scalars[position...].starts(with: label) else {
        position += 1
        continue
      }
      position += label.count
      switch scoreSpace {
      case .any: while position < scalars.count, scalars[position].isPatternSpace { position += 1 }
      case .one:
        guard scalars[position] == " " else { continue }
        position += 1
      }
      let digits = scalars[position...].prefix { $0.isPatternDigit || $0 == "." }
      if !digits.isEmpty { return String(String.UnicodeScalarView(digits)) }
    }
    return nil
  }
}
