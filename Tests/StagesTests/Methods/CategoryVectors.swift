// METHODS 1.6.3 and 1.6.4: categories of ALT-LMC and labels of SteerLM, with replies that nearly are one.

import JSON
import Runner
import Stages
import Testing

extension Methods {
  @Suite struct CategoryVectors {
    private static let categories: [JSON] = [
      "Harmless and very helpful", "Harmless and helpful", "Harmless and not helpful", "Harmful",
    ]
    /// ALT-LMC stores a reply as it is.
    private static let verbatim: JSON = ["kind": "text"]
    /// Exact and case-sensitive.
    private static let steerLM: JSON = [
      "kind": "category", "strip": false,
      "labels": [
        "Harmless and very helpful": "harmful:0,helpful:2", "Harmless and helpful": "harmful:0,helpful:1",
        "Harmless and not helpful": "harmful:0,helpful:0", "Harmful": "harmful:1,helpful:0",
      ],
    ]
    private static let fixed: JSON = ["kind": "category", "labels": .array(categories)]
    private static let fixedIgnoringCase = with(fixed, [("match", "ignore_case")])

    /// Hazard 15. A reply; what SteerLM makes of it; what the default makes of it, and with `match: ignore_case`. Nil is no
    /// feedback, and has the outcome `off_list`. ALT-LMC makes of each reply the reply.
    @Test(
      arguments: [
        (
          "Harmless and very helpful", "harmful:0,helpful:2", "Harmless and very helpful",
          "Harmless and very helpful"
        ),
        ("Harmless and helpful", "harmful:0,helpful:1", "Harmless and helpful", "Harmless and helpful"),
        (
          "Harmless and not helpful", "harmful:0,helpful:0", "Harmless and not helpful",
          "Harmless and not helpful"
        ),
        ("Harmful", "harmful:1,helpful:0", "Harmful", "Harmful"),
        // Near misses.
        ("Harmful.", nil, nil, nil),
        ("Harmless and helpful\n", nil, "Harmless and helpful", "Harmless and helpful"),
        (" Harmful", nil, "Harmful", "Harmful"), ("harmful", nil, nil, "Harmful"),
        ("HARMLESS AND HELPFUL", nil, nil, "Harmless and helpful"), ("Harmless and  helpful", nil, nil, nil),
        ("Harmless", nil, nil, nil), ("Feedback: Harmful", nil, nil, nil), ("", nil, nil, nil),
      ] as [(String, String?, String?, String?)])
    func `a reply is a category letter by letter, or nearly`(
      reply: String, steerLM: String?, fixed: String?, ignoringCase: String?
    ) throws {
      func expected(_ text: String?) -> ParsedReply {
        text.map { .parsed([.string($0)]) } ?? .offList("is none of `labels`")
      }
      #expect(try parsed(Self.verbatim, reply) == .parsed([.string(reply)]))
      #expect(try parsed(Self.steerLM, reply) == expected(steerLM))
      #expect(try parsed(Self.fixed, reply) == expected(fixed))
      #expect(try parsed(Self.fixedIgnoringCase, reply) == expected(ignoringCase))
    }

    /// From replies to what is trained on, as the pool and the conditioning of each method read them: ALT-LMC's near misses
    /// fill up the pool and are labels, SteerLM's are dropped, and so they are by default.
    @Test func `near misses are trained on as labels in ALT-LMC alone`() throws {
      let bench = ModelBench()
      let replies: [JSON] = ["Harmful.", "Harmful", "harmful", "Harmless and helpful", nil]
      let row = Row([
        "id": "r", "prompt": "Human: a Assistant:", "generations": [" a", " b", " c", " d", " e"],
        "replies": .array(replies),
      ])
      func contexts(_ parser: JSON, _ pool: [(String, JSON)], _ conditioning: [(String, JSON)]) throws
        -> [String]
      {
        let columns = ColumnTable(samples: usualSampleColumns + ["replies"])
        let annotated = try bench.rows(
          bench.run(
            AnnotateStage(), ["annotator": ["kind": "reply", "column": "replies"], "parser": parser],
            rows: [row],
            columns: columns))
        let picked = try bench.rows(
          bench.run(
            PoolStage(),
            with(["by": "feedbacks", "classes": .array(Self.categories), "per_prompt": 8], pool),
            rows: annotated, columns: columns))
        return try bench.inputs(
          of: TrainStage(),
          [
            "lr": 0.01,
            "conditioning": with(
              [
                "kind": "text", "column": "feedbacks", "template": "{value}.\n\n",
                "labels": .array(Self.categories),
              ], conditioning),
          ], models: ["model": bench.model()], rows: picked
        ).contexts.map { $0.replacing("Human: a Assistant:", with: "") }.sorted()
      }
      // `pool` compares ignoring case, as LMC does.
      #expect(
        try contexts(
          Self.verbatim, [("fill", "any")], [("match", "ignore_case"), ("keep", ["off_list"])])
          == ["Harmful.\n\n", "Harmful.\n\n", "Harmful..\n\n", "Harmless and helpful.\n\n"])
      let steer: [JSON] = [
        "harmful:0,helpful:2", "harmful:0,helpful:1", "harmful:0,helpful:0", "harmful:1,helpful:0",
      ]
      #expect(
        try contexts(
          Self.steerLM, [("classes", .array(steer))], [("labels", .array(steer))])
          == ["harmful:0,helpful:1.\n\n", "harmful:1,helpful:0.\n\n"])
      #expect(try contexts(Self.fixed, [], []) == ["Harmful.\n\n", "Harmless and helpful.\n\n"])
    }

    /// Human is the text between the last `Human:` and the `Assistant:` after it. The original's row is from then on `Human: `
    /// and that text, so that earlier turns are lost from training (hazard 16); here the row's prompt stays.
    @Test func `a question is about the last turn, and the prompt keeps all of them`() throws {
      let bench = ModelBench()
      let dialogue = "Human: a Assistant: b Human: c d Assistant:"
      let row = Row(["id": "r", "prompt": .string(dialogue), "generations": [" e "]])
      let fields: JSON = [
        "human": ["from": "prompt", "after_last": "Human:", "before_first": "Assistant:", "strip": true],
        "assistant": ["from": "generation", "strip": true],
      ]
      let options: JSON = [
        "annotator": [
          "kind": "model", "max_new_tokens": 4, "fields": fields,
          "template": "Human: {human}\nAssistant: {assistant}\nFeedback:",
        ]
      ]
      let models = ["model": try bench.model()]
      #expect(
        try bench.inputs(of: AnnotateStage(), options, models: models, rows: [row]).contexts
          == ["Human: c d\nAssistant: e\nFeedback:"])
      let annotated = try bench.rows(bench.run(AnnotateStage(), options, models: models, rows: [row]))
      #expect(annotated[0]["prompt"] == .string(dialogue))
    }
  }
}
