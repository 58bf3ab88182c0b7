// Plug-ins that only declare: enough to read and plan experiments in tests.

import JSON
import Runner

/// Runs nothing; the language and the planner look at declarations only.
protocol ToyStage: Stage {}
extension ToyStage {
  func run(_ context: StageContext) throws { throw InputError("toy stages do not run") }
}

enum Toys {
  static let registry = StageRegistry([
    Data.self, Draw.self, Sample.self, Score.self, Quantize.self, Pool.self, Train.self, Evaluate.self,
    Gather.self,
  ])

  struct Data: ToyStage {
    static let declaration = StageDeclaration(
      name: "data", summary: "reads rows", version: 1, inputs: [],
      outputs: [OutputPort("rows", .rows, columns: ["prompt"], summary: "rows")],
      options: [
        OptionField("path", .files(split: "split", config: "config"), summary: "JSON Lines"),
        OptionField(
          "split", .optional(.string), default: nil, addedLater: true, summary: "which files of a folder"),
        OptionField(
          "config", .optional(.string), default: nil, addedLater: true, summary: "which of its README's"),
        OptionField("prompt", .string, default: "{prompt}", summary: "a template over the fields"),
        OptionField("limit", .optional(.integer(1...1_000_000)), default: nil, summary: "rows at most"),
      ])
  }
  struct Draw: ToyStage {
    static let declaration = StageDeclaration(
      name: "draw", summary: "draws rows", version: 1,
      inputs: [InputPort("rows", .rows, columns: ["prompt"], summary: "where from")],
      outputs: [OutputPort("rows", .rows, passesThrough: "rows", summary: "drawn")],
      options: [OptionField("count", .integer(1...1_000_000), summary: "rows to draw")], isRandom: true)
  }
  struct Sample: ToyStage {
    static let declaration = StageDeclaration(
      name: "sample", summary: "samples", version: 3,
      inputs: [
        InputPort("model", .model, summary: "the policy"),
        InputPort("prompts", .rows, columns: ["prompt"], summary: "prompts"),
      ],
      outputs: [
        OutputPort("rows", .rows, passesThrough: "prompts", columns: ["generations"], summary: "samples")
      ],
      options: [
        OptionField("n", .integer(1...1024), default: 1, summary: "samples a prompt"),
        OptionField("temperature", .number(0...10, single: true), default: 1, summary: "0 is greedy"),
        OptionField(
          "top_p", .number(0...1, exclusiveMinimum: true, single: true), default: 1, summary: "nucleus"),
        OptionField("max_new_tokens", .integer(1...8192), summary: "length"),
        OptionField(
          "condition",
          .either([.choice(["none", "best"]), .object([OptionField("text", .string, summary: "a prefix")])]),
          default: "none", summary: "what to condition on"),
        OptionField("stop", .list(.string, count: 0...4), default: [], summary: "stop strings"),
      ], isRandom: true, numerics: Numerics(deviceClass: "cpu", version: 2, modes: ["bf16", "fp32", "int8"]),
      rowsAreIndependent: true)
  }
  struct Score: ToyStage {
    static let declaration = StageDeclaration(
      name: "score", summary: "scores", version: 1,
      inputs: [
        InputPort("model", .model, summary: "the scorer"),
        InputPort("rows", .rows, columns: ["generations"], summary: "samples"),
      ],
      outputs: [OutputPort("rows", .rows, passesThrough: "rows", columns: ["rewards"], summary: "scored")],
      options: [], numerics: Numerics(deviceClass: "cpu", version: 2, modes: ["bf16", "fp32"]))
  }
  struct Quantize: ToyStage {
    static let declaration = StageDeclaration(
      name: "quantize", summary: "sorts into classes", version: 1,
      inputs: [
        InputPort("rows", .rows, columns: ["rewards"], summary: "scored rows"),
        InputPort("history", .file, required: false, summary: "earlier pools"),
      ],
      outputs: [OutputPort("rows", .rows, passesThrough: "rows", columns: ["quantiles"], summary: "rows")],
      options: [
        OptionField("classes", .integer(2...100), default: 5, summary: "how many"),
        OptionField("scope", .choice(["prompt", "global"]), default: "prompt", summary: "sorted within"),
      ])
  }
  struct Pool: ToyStage {
    static let declaration = StageDeclaration(
      name: "pool", summary: "pools", version: 1,
      inputs: [InputPort("rows", .rows, columns: ["quantiles"], summary: "rows")],
      outputs: [
        OutputPort("rows", .rows, columns: ["prompt", "generations", "quantiles"], summary: "picked"),
        OutputPort("state", .file, summary: "the pool"),
      ],
      options: [OptionField("per_class", .integer(1...1000), default: 2, summary: "picked a class")])
  }
  struct Train: ToyStage {
    static let declaration = StageDeclaration(
      name: "train", summary: "trains", version: 2,
      inputs: [
        InputPort("model", .model, summary: "start"),
        InputPort("reference", .model, required: false, summary: "for the KL"),
        InputPort("rows", .rows, columns: ["generations"], summary: "rows"),
      ],
      outputs: [
        OutputPort("model", .model, summary: "trained"), OutputPort("metrics", .metrics, summary: "losses"),
      ],
      options: [
        OptionField(
          "objective",
          .variant([
            OptionVariant(
              "conditional",
              [
                OptionField("kl", .number(0...100), default: 0.05, summary: "KL coefficient"),
                OptionField("entropy", .number(0...100), default: 0, summary: "entropy coefficient"),
              ], summary: "Quark"),
            OptionVariant("sft", [], summary: "plain"),
          ]), default: ["kind": "conditional"], summary: "what is minimised"),
        OptionField("lr", .number(0...1, exclusiveMinimum: true), summary: "learning rate"),
        OptionField("batch_size", .integer(1...100_000), default: 8, summary: "sequences a step"),
        OptionField("shuffle", .bool, default: true, summary: "shuffle"),
      ], isRandom: true, numerics: Numerics(deviceClass: "cpu", version: 2, modes: ["bf16", "fp32"]))
  }
  struct Gather: ToyStage {
    static let declaration = StageDeclaration(
      name: "gather", summary: "puts rows together", version: 1,
      inputs: [InputPort("rows", .rows, collects: true, summary: "any number of rows")],
      outputs: [OutputPort("rows", .rows, passesThrough: "rows", summary: "all of them")], options: [])
  }
  struct Evaluate: ToyStage {
    static let declaration = StageDeclaration(
      name: "evaluate", summary: "evaluates", version: 1,
      inputs: [
        InputPort("rows", .rows, columns: ["rewards"], summary: "scored rows"),
        InputPort("reference", .model, required: false, summary: "for perplexity"),
      ],
      outputs: [OutputPort("metrics", .metrics, summary: "numbers")],
      options: [
        OptionField(
          "metrics", .list(.choice(["reward", "perplexity", "distinct"]), count: 1...10),
          default: ["reward"], summary: "which")
      ], numerics: Numerics(deviceClass: "cpu", version: 2, modes: ["bf16", "fp32"]))
  }
}
