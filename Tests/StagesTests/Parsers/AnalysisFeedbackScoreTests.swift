// `kind: analysis_feedback_score` against METHODS 1.6.2: every row of its table, as the original reads it and as it should be read.

import JSON
import Stages
import Testing

@Suite struct AnalysisFeedbackScoreTests {
  private static let original: JSON = [
    "kind": "analysis_feedback_score", "score_space": "one", "feedback_end": "word", "empty_feedback": "keep",
  ]
  private static let fixed: JSON = ["kind": "analysis_feedback_score"]

  /// Nil where it is unparsable; else the analysis, the feedback and the score.
  private func read(_ parser: JSON, _ reply: String) throws -> [JSON]? {
    switch try parsed(parser, reply) {
    case .parsed(let values): return values
    case .unparsable: return nil
    case .offList(let reason):
      Issue.record("off list: \(reason)")
      return nil
    }
  }

  /// The end of a reply that begins with an analysis and a feedback; its score as the original reads it, and as it should be read.
  @Test(
    arguments: [
      ("Score: 3", 3, 3), ("Score: 3.", 3, 3), ("Score: 2/3", 2, 2), ("Score: 2.5", 2.5, 2.5),
      ("Score: 7", 7, 7), ("Score:3", nil, 3), ("Score:  3", nil, 3), ("Score:\n3", nil, 3),
      ("Score: ...", nil, nil), ("Score: 2.5.1", nil, nil), ("Score: .5", 0.5, 0.5),
      ("Score: 3 out of 3", 3, 3),
      ("Score: three", nil, nil), ("Score: ", nil, nil), ("Score:", nil, nil),
      ("Score: none. Score: 2", 2, 2),
      ("Score: -1", nil, nil), ("Score: \u{0662}", 2, 2), ("score: 3", nil, nil),
    ] as [(String, Double?, Double?)])
  func `the score is the run of digits and periods after its name`(
    end: String, original: Double?, fixed: Double?
  ) throws {
    let reply = "Analysis: It is short.\nFeedback: Clear.\n\(end)"
    func expected(_ score: Double?) -> [JSON]? { score.map { ["It is short.", "Clear.", .double($0)] } }
    #expect(try read(Self.original, reply) == expected(original))
    #expect(try read(Self.fixed, reply) == expected(fixed))
  }

  @Test func `texts go over lines and lose the white space at their ends`() throws {
    let reply = "\n Analysis:  One.\n\nTwo. \n\nFeedback:\n Clear,\nbut long.\n\nScore: 2 \n"
    let expected: [JSON] = ["One.\n\nTwo.", "Clear,\nbut long.", 2]
    #expect(try read(Self.original, reply) == expected)
    #expect(try read(Self.fixed, reply) == expected)
  }

  @Test func `a feedback that contains Score is cut there in the original, possibly to nothing`() throws {
    let some = "Analysis: Fine. Feedback: It is clear. Scored well. Score: 3"
    #expect(try read(Self.original, some) == ["Fine.", "It is clear.", 3])
    #expect(try read(Self.fixed, some) == ["Fine.", "It is clear. Scored well.", 3])
    let none = "Analysis: Fine. Feedback: Scored well. Score: 3"
    #expect(try read(Self.original, none) == ["Fine.", "", 3])
    #expect(try read(Self.fixed, none) == ["Fine.", "Scored well.", 3])
    // The analysis ends at either word.
    let analysis = "Analysis: Feedback is due. Feedback: Clear. Score: 1"
    #expect(try read(Self.original, analysis) == ["", "Clear.", 1])
    #expect(try read(Self.fixed, analysis) == ["Feedback is due.", "Clear.", 1])
  }

  @Test func `an empty feedback is kept by the original and refused otherwise`() throws {
    let reply = "Analysis: Fine. Feedback: \n Score: 3"
    #expect(try read(Self.original, reply) == ["Fine.", "", 3])
    #expect(try read(Self.fixed, reply) == nil)
    #expect(
      try parsed(Self.fixed, reply)
        == .unparsable("has no word of feedback between `Feedback:` and `Score:`"))
  }

  @Test(
    arguments: [
      ("Feedback: Clear. Score: 3", "has no `Analysis:` with a `Feedback:` or `Score:` after it"),
      ("Analysis: Fine. Score: 3", "has no `Feedback:` with a `Score:` after it"),
      ("Analysis: Fine. Feedback: Clear.", "has no `Feedback:` with a `Score:` after it"),
      ("Analysis: Fine.", "has no `Analysis:` with a `Feedback:` or `Score:` after it"),
      ("", "has no `Analysis:` with a `Feedback:` or `Score:` after it"),
      ("Analysis: Fine. Feedback: Clear. Score: high", "has no number after `Score:`"),
      ("Analysis: Fine. Feedback: Clear. Score: 1.2.3", "has the score `1.2.3`, no number"),
      (
        "Analysis: Fine. Feedback: Clear. Score: 1" + String(repeating: "0", count: 400),
        "has the score `1" + String(repeating: "0", count: 400) + "`, no number"
      ),
    ])
  func `all three are required`(reply: String, reason: String) throws {
    #expect(try parsed(Self.fixed, reply) == .unparsable(reason))
    #expect(try read(Self.original, reply) == nil)
  }

  @Test func `parts in another order are read where they stand`() throws {
    let reply = "Score: 2\nAnalysis: Fine.\nFeedback: Clear.\nScore: 3"
    #expect(try read(Self.original, reply) == ["Fine.", "Clear.", 2])
    #expect(try read(Self.fixed, reply) == ["Fine.", "Clear.", 2])
  }

  @Test func `a score outside of the range is off list, and the original has no range`() throws {
    var ranged = Self.fixed.objectValue
    ranged?["range"] = [0, 3]
    let reply = "Analysis: Fine. Feedback: Clear. Score: 7"
    #expect(
      try parsed(.object(ranged ?? .init()), reply) == .offList("has the score 7.0, outside of `range`"))
    #expect(try read(Self.original, reply) == ["Fine.", "Clear.", 7])
  }
}
