// METHODS 1.6.2: replies of ALT-LMU, every row of its table, as the original reads them and as they should be read; and its question.

import JSON
import Runner
import Stages
import Testing

extension Methods {
  @Suite struct AnalysisVectors {
    private static let original: JSON = [
      "kind": "analysis_feedback_score", "score_space": "one", "feedback_end": "word",
      "empty_feedback": "keep",
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

    /// The end of a reply that begins with an analysis and a feedback; its score as the original reads it, and as it should be
    /// read.
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

    // MARK: the question

    /// POST is the stripped prompt without any `TL;DR:`, stripped again; in the original two underscores become a newline in
    /// the whole of the message (hazard 19), which `replace` does; without it they stay.
    @Test(arguments: [
      (true, "POST: a\nb  c\n\nSUMMARY:  d\ne\nScore:"), (false, "POST: a__b  c\n__SUMMARY:  d__e\nScore:"),
    ])
    func `two underscores are a newline where it is asked for`(replaces: Bool, expected: String) throws {
      let bench = ModelBench()
      let row = Row([
        "id": "r", "prompt": " TL;DR: a__b TL;DR: c\nTL;DR:", "generations": [" d__e"],
      ])
      let fields: JSON = ["post": ["from": "prompt", "replace": ["TL;DR:": ""], "strip": true]]
      var annotator: [(String, JSON)] = [
        ("kind", "model"), ("max_new_tokens", 4), ("fields", fields),
        ("template", "POST: {post}\n__SUMMARY: {generation}\nScore:"),
      ]
      if replaces { annotator.append(("replace", ["__": "\n"])) }
      let found = try bench.inputs(
        of: AnnotateStage(), ["annotator": .object(JSONObject(annotator))],
        models: ["model": bench.model()], rows: [row])
      #expect(found.contexts == [expected])
    }

    /// After a failure all three are null for that generation, and the others keep their places. A reply is asked for again by
    /// `attempts`, with other random numbers (hazard 18; `AnnotateStageTests`); the original's repetitions at temperature 0
    /// give the same reply.
    @Test func `a reply that cannot be read leaves null in all three columns`() throws {
      let bench = ModelBench()
      let row = Row([
        "id": "r", "prompt": "p", "generations": ["a", "b", "c", "d"],
        "replies": [
          "Analysis: A. Feedback: B. Score: 3", "Analysis: A. Feedback: B.", nil,
          "Analysis: A. Feedback: B. Score: 7",
        ],
      ])
      func annotated(_ parser: JSON) throws -> Row {
        try bench.rows(
          bench.run(
            AnnotateStage(), ["annotator": ["kind": "reply", "column": "replies"], "parser": parser],
            rows: [row],
            columns: ColumnTable(samples: usualSampleColumns + ["replies"])))[0]
      }
      let original = try annotated(Self.original)
      #expect(
        original["analysis"] == ["A.", nil, nil, "A."] && original["feedbacks"] == ["B.", nil, nil, "B."])
      // No class has the score 7.
      #expect(original["scores"] == [3, nil, nil, 7])
      #expect(original["outcomes"] == ["parsed", "unparsable", "error", "parsed"])
      let ranged = try annotated(with(Self.fixed, [("range", [0, 3])]))
      #expect(ranged["scores"] == [3, nil, nil, nil] && ranged["feedbacks"] == ["B.", nil, nil, nil])
      #expect(ranged["outcomes"] == ["parsed", "unparsable", "error", "off_list"])
    }
  }
}
