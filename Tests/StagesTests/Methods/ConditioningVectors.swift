// METHODS 1.3: the text that stands before a prompt in training and in sampling, method by method.

import JSON
import Models
import Runner
import Stages
import Testing

extension Methods {
  @Suite struct ConditioningVectors {
    let bench = ModelBench()

    struct Method: Sendable, CustomTestStringConvertible {
      let name: String
      let conditioning: JSON
      /// Of the samples.
      let columns: [(String, [JSON])]
      /// What stands before the prompt of each sample in training.
      let training: [String]
      /// What stands before a prompt from the second iteration on, and in every evaluation.
      let sampling: String

      var testDescription: String { name }
    }

    private static let tags: [JSON] = ["Excellent.", "Good.", "Mediocre.", "Bad.", "Horrible."]
    private static let categories: [JSON] = [
      "Harmless and very helpful", "Harmless and helpful", "Harmless and not helpful", "Harmful",
    ]

    static let methods = [
      Method(
        name: "Quark on TL;DR", conditioning: ["kind": "tokens", "classes": 5],
        columns: [("quantiles", [0, 1, 4])],
        training: ["_QUANTILE_TOKEN_0_", "_QUANTILE_TOKEN_1_", "_QUANTILE_TOKEN_4_"],
        sampling: "_QUANTILE_TOKEN_0_"),
      Method(
        name: "ALT-RM, from the feedback of a rule",
        conditioning: [
          "kind": "text", "column": "feedbacks", "template": "{value} input: ", "labels": .array(tags),
        ],
        columns: [("feedbacks", ["Excellent.", "Mediocre.", "Horrible."])],
        training: ["Excellent. input: ", "Mediocre. input: ", "Horrible. input: "],
        sampling: "Excellent. input: "),
      Method(
        name: "ALT-RM, from quantiles",
        conditioning: [
          "kind": "text",
          "prefixes": .array(tags.map { .string(($0.stringValue ?? "") + " input: ") }),
        ],
        columns: [("quantiles", [0, 2, 4])],
        training: ["Excellent. input: ", "Mediocre. input: ", "Horrible. input: "],
        sampling: "Excellent. input: "),
      Method(
        name: "the private variant with six categories",
        conditioning: [
          "kind": "text", "column": "feedbacks", "template": "{value}. input: ",
          "labels": [
            "Very precise and concise", "Very precise but not concise", "Precise and concise",
            "Precise but not concise", "Not precise but concise", "Not precise nor concise",
          ],
        ], columns: [("feedbacks", ["Not precise nor concise", "Very precise and concise"])],
        training: ["Not precise nor concise. input: ", "Very precise and concise. input: "],
        sampling: "Very precise and concise. input: "),
      Method(
        name: "ALT-LMU",
        conditioning: [
          "kind": "text", "column": "feedbacks", "template": "feedback: {value} input: ",
          "best_by": "scores",
        ],
        columns: [("feedbacks", ["Clear and short.", "Misses the point."]), ("scores", [3.0, 1.0])],
        training: ["feedback: Clear and short. input: ", "feedback: Misses the point. input: "],
        sampling: "feedback: Clear and short. input: "),
      Method(
        name: "ALT-LMC",
        conditioning: [
          "kind": "text", "column": "feedbacks", "template": "{value}.\n\n", "match": "ignore_case",
          "labels": .array(categories),
        ], columns: [("feedbacks", ["Harmful", "Harmless and very helpful", "harmless and not helpful"])],
        training: ["Harmful.\n\n", "Harmless and very helpful.\n\n", "Harmless and not helpful.\n\n"],
        sampling: "Harmless and very helpful.\n\n"),
      Method(
        name: "SteerLM, from its labels",
        conditioning: [
          "kind": "text", "column": "feedbacks", "template": "{value}.\n\n",
          "labels": [
            "harmful:0,helpful:2", "harmful:0,helpful:1", "harmful:0,helpful:0", "harmful:1,helpful:0",
          ],
        ], columns: [("feedbacks", ["harmful:1,helpful:0", "harmful:0,helpful:2"])],
        training: ["harmful:1,helpful:0.\n\n", "harmful:0,helpful:2.\n\n"],
        sampling: "harmful:0,helpful:2.\n\n"),
      Method(
        name: "SteerLM, from categories",
        conditioning: [
          "kind": "text", "column": "feedbacks", "template": "{value}.\n\n",
          "labels": [
            ["value": "Harmless and very helpful", "text": "harmful:0,helpful:2"],
            ["value": "Harmless and helpful", "text": "harmful:0,helpful:1"],
            ["value": "Harmless and not helpful", "text": "harmful:0,helpful:0"],
            ["value": "Harmful", "text": "harmful:1,helpful:0"],
          ],
        ], columns: [("feedbacks", ["Harmful", "Harmless and helpful"])],
        training: ["harmful:1,helpful:0.\n\n", "harmful:0,helpful:1.\n\n"],
        sampling: "harmful:0,helpful:2.\n\n"),
      Method(
        name: "ALT on toxicity",
        conditioning: [
          "kind": "text",
          "prefixes": [
            "Lowest Toxicity", "Low-Moderate Toxicity", "Moderate Toxicity", "High-Moderate Toxicity",
            "Maximum Toxicity",
          ], "separator": ["text": "<|separator|>", "like": "<|im_end|>"],
        ], columns: [("quantiles", [4, 0])],
        training: ["Maximum Toxicity<|separator|>", "Lowest Toxicity<|separator|>"],
        sampling: "Lowest Toxicity<|separator|>"),
    ]

    private static let prompt = "SUBREDDIT: r/a\nTITLE: b\nPOST: c\nTL;DR:"

    private func row(_ columns: [(String, [JSON])], prompt: String = prompt) -> Row {
      var row = sampledRow("r", columns)
      row["prompt"] = .string(prompt)
      return row
    }

    /// Quark's toxicity task has tokens `_TREE_TOKEN_00000` with a blank before them; here tokens of classes have the names of
    /// its TL;DR task, and their names are no text that a model reads.
    @Test(arguments: methods)
    func `each method's text stands before the prompt in training and in sampling`(method: Method) throws {
      let rows = [row(method.columns)]
      let options: JSON = ["lr": 1e-30, "steps": 1, "conditioning": method.conditioning]
      let start = ["model": try bench.model()]
      #expect(
        try bench.inputs(of: TrainStage(), options, models: start, rows: rows).contexts
          == method.training.map { $0 + Self.prompt })
      let policy = ["model": "\(try bench.run(TrainStage(), options, models: start, rows: rows))/model"]
      let asked = Row(["id": "q", "prompt": .string(Self.prompt)])
      func sampled(_ condition: JSON, _ models: [String: String]) throws -> [String] {
        try bench.inputs(
          of: SampleStage(), ["max_new_tokens": 4, "condition": condition], models: models, rows: [asked],
          port: "prompts"
        ).contexts
      }
      #expect(try sampled("best", policy) == [method.sampling + Self.prompt])
      #expect(try sampled("none", policy) == [Self.prompt])
      // The first iteration: a model that was never conditioned.
      #expect(try sampled("best", start) == [Self.prompt])
    }

    /// The exemplar of each prompt, in ALT-LMU; null in the first iteration.
    @Test func `each prompt can be asked with a feedback of its own`() throws {
      let rows = [("Clear and short.", "x"), (nil, "y")].map { (exemplar: JSON, id: JSON) in
        Row(["id": id, "prompt": .string(Self.prompt), "exemplar": exemplar])
      }
      let found = try bench.inputs(
        of: SampleStage(),
        [
          "max_new_tokens": 4,
          "condition": ["column": "exemplar", "template": "feedback: {value} input: "],
        ], models: ["model": bench.model()], rows: rows, port: "prompts")
      #expect(found.contexts == ["feedback: Clear and short. input: " + Self.prompt, Self.prompt])
    }

    /// Hazard 10. The originals take the conditioning off a prompt again by looking for its separator: of each prompt here they
    /// keep what stands after it, so that the policy is trained on another prompt than it was sampled with. Here no text is
    /// taken apart.
    @Test(arguments: [
      ("{value} input: ", "POST: Is input: 3 enough?\nTL;DR:", "3 enough?\nTL;DR:"),
      ("{value}.\n\n", "Human: One.\n\nTwo. Assistant:", "Two. Assistant:"),
      ("{value}.\n\n", "Human: What does Human: mean? Assistant:", "mean? Assistant:"),
    ])
    func `a prompt that contains a separator stays whole`(
      template: String, prompt: String, original: String
    ) throws {
      let options: JSON = [
        "lr": 0.01,
        "conditioning": [
          "kind": "text", "column": "feedbacks", "template": .string(template), "labels": ["Good."],
        ],
      ]
      let found = try bench.inputs(
        of: TrainStage(), options, models: ["model": bench.model()],
        rows: [row([("feedbacks", ["Good."])], prompt: prompt)])
      let before = template.split(separator: "{value}", omittingEmptySubsequences: false)
      #expect(found.contexts == ["\(before[0])Good.\(before[1])\(prompt)"])
      #expect(prompt.hasSuffix(original) && prompt != original)
    }

    /// Hazard 11. The originals cut at the right, so that a long prompt loses its `TL;DR:`; `cut` says which side of which
    /// field gives way. Each of the prompt's 8 letters is a token.
    @Test(
      arguments: [
        (["side": "right"], "ABCDEF"), (["side": "left"], "CDEFGH"),
        (["side": "left", "field": "post"], "ABEFGH"), (["side": "right", "field": "post"], "ABCDGH"),
      ] as [(JSON, String)])
    func `what is cut of a long prompt is said`(cut: JSON, expected: String) throws {
      var long = row([("quantiles", [0])], prompt: "ABCDEFGH")
      long["generations"] = ["Z"]
      long["prompt_fields"] = ["post": [[2, 4]]]
      let found = try bench.inputs(
        of: TrainStage(),
        [
          "lr": 0.01, "conditioning": ["kind": "none"], "end": "never", "max_length": 7,
          "overflow": "cut", "cut": cut,
        ], models: ["model": bench.model()], rows: [long])
      #expect(found.contexts == [expected])
    }
  }
}
