// What each stage computes is pinned to its result version: results that change under the same version would be taken for the earlier ones.

import JSON
import Models
import Runner
import Stages
import System
import Testing
import TinyModel

struct ResultVersionTests {
  /// Stage, result version, and the digest of what it writes on the inputs below. When results change, raise the version in the stage's
  /// declaration and write the new digest here, in the same commit.
  static let pinned: [(stage: String, version: Int, digest: String)] = [
    ("data", 2, "58521680927acfba"), ("draw", 2, "a6f07b186536eaf2"), ("sample", 3, "f472c65d5a94536a"),
    ("score", 2, "89b1f64b92c7976e"), ("normalize", 1, "ab4465c379e20008"),
    ("quantize", 2, "9e7e08ed8f442229"), ("annotate", 1, "c6fc7bf5b334dc8f"),
    ("exemplar", 1, "1fdeaabfabb7f048"),
    ("pool", 2, "fca311d3c4743f91"),
    ("train", 2, "c2b49195b1684557"), ("evaluate", 3, "c72a9641e5de9ff5"), ("command", 2, "6d760d8be05a8697"),
  ]

  let bench = ModelBench()

  /// Runs a stage; the digests of the files it wrote.
  private func outputs<S: Stage>(
    _ stage: S, _ options: JSON, models: [String: String] = [:], rows: [Row], port: String = "rows",
    others: [String: [Row]] = [:]
  ) throws -> [String] {
    let output = try bench.run(stage, options, models: models, rows: rows, port: port, others: others)
    return try S.declaration(for: options).outputs.flatMap { port -> [String] in
      switch port.type {
      case .rows: [try Digest.ofFile("\(output)/\(port.name).jsonl").digest.hex]
      case .metrics: [try Digest.ofFile("\(output)/\(port.name).json").digest.hex]
      case .file: [try Digest.ofFile("\(output)/\(port.name)").digest.hex]
      case .model:
        try ["model.safetensors", "tokenizer.json", "plumb.json"].map {
          try Digest.ofFile("\(output)/\(port.name)/\($0)").digest.hex
        }
      }
    }
  }

  /// Everything that a stage is tried on, with the options that change what it computes.
  private func digests(of stage: String) throws -> [String] {
    switch stage {
    case "data":
      let path = "\(bench.path)/data.jsonl"
      try File.writeWhole(
        #"{"id":"a","text":"é <|im_end|>","n":1.10,"big":12345678901234567890,"generations":["x"],"rewards":[1]}"#
          + "\n"
          + #"{"id":"b","text":"y","n":null,"big":2,"generations":["x","y"],"rewards":[null,0.5]}"# + "\n\n",
        to: path)
      return try [
        ["path": .string(path), "prompt": "<|im_start|>{text}\n", "id": "id", "keep": ["n", "big"]],
        ["path": .string(path), "prompt": "{text}", "samples": ["generations", "rewards"]],
      ].flatMap { try outputs(DataStage(), $0, rows: []) }
    case "draw":
      return try [["count": 3], ["count": 20, "replacement": true]].flatMap {
        try outputs(DrawStage(), $0, rows: prompts)
      }
    case "sample":
      let model = try bench.model()
      return try [
        ["n": 3, "max_new_tokens": 12, "temperature": 1.2, "top_p": 0.9, "statistics": true, "stop": ["a"]],
        ["n": 1, "max_new_tokens": 12, "temperature": 0, "condition": ["text": "<|im_start|>Good. "]],
      ].flatMap { try outputs(SampleStage(), $0, models: ["model": model], rows: prompts, port: "prompts") }
    case "score":
      let choice: JSON = [
        "scorer": [
          "kind": "choice", "template": "Review: {prompt}{generation}\nIt is", "labels": [" good", " bad"],
          "reward": " good",
        ]
      ]
      return try outputs(ScoreStage(), choice, models: ["model": bench.model()], rows: pooledRows())
        + outputs(
          ScoreStage(), ["scorer": ["kind": "reward", "template": "{prompt}{generation}"]],
          models: ["model": bench.model("reward") { $0.head = TinyModel.rewardHead }], rows: pooledRows())
    case "normalize":
      return try [["over": "all"], ["over": "prompt", "into": "z"]].flatMap {
        try outputs(NormalizeStage(), $0, rows: pooledRows())
      }
    case "quantize":
      return try [["classes": 2], ["classes": 4, "scope": "global", "remainder": "worst"]].flatMap {
        try outputs(QuantizeStage(), $0, rows: pooledRows())
      }
    case "annotate":
      let texts = sampledRow("a", [("analysis", ["Score: 1", " Score:2/3", "{\"feedbacks\": \"x\"}", nil])])
      let replies: JSON = ["kind": "reply", "column": "analysis"]
      let asked: JSON = [
        "annotator": [
          "kind": "model", "template": "{prompt}{generation} It is", "max_new_tokens": 9, "temperature": 1.1,
          "top_p": 0.95, "attempts": 3, "stop": ["e"],
        ], "parser": ["kind": "regex", "pattern": "^ ?(?<feedbacks>[a-m]\\w*)"],
      ]
      return try outputs(AnnotateStage(), asked, models: ["model": bench.model()], rows: pooledRows())
        + outputs(
          AnnotateStage(), ["annotator": ["kind": "rule", "texts": ["Good.", "Fair.", "Bad."]]],
          rows: pooledRows())
        + [
          ["kind": "text"], ["kind": "regex", "pattern": "Score: ?(?<scores>[0-9])"],
          ["kind": "json", "fields": ["feedbacks": "feedbacks"]],
          ["kind": "category", "labels": ["Score: 1": 0]], ["kind": "analysis_feedback_score"],
        ].flatMap { (parser: JSON) in
          try outputs(AnnotateStage(), ["annotator": replies, "parser": parser], rows: [texts])
        }
    case "exemplar":
      let feedbacks = [
        sampledRow("x", [("scores", [3, 2.5, 3, 3]), ("feedbacks", ["a", "b", "c", "d"])])
      ]
      return try [[:], ["classes": [2, 3]]].flatMap {
        try outputs(
          ExemplarStage(), $0, rows: numberedRows(9), port: "prompts", others: ["feedbacks": feedbacks])
      }
    case "pool":
      return try [
        ["per_class": 1, "drop": 0.5], ["by": "quantiles", "classes": [0, 1, 2], "per_prompt": 2],
      ].flatMap {
        try outputs(PoolStage(), $0, rows: pooledRows())
      }
    case "train":
      let model = try bench.model()
      let models = ["model": model, "reference": model]
      let text: JSON = [
        "lr": 0.01, "batch_size": 4, "warmup": "logarithmic", "warmup_ratio": 0.5, "end": "terminated",
        "vocabulary": "tokenizer",
        "conditioning": ["kind": "text", "prefixes": ["Good. ", "Fair. ", "Bad. "], "opening": ""],
      ]
      return try outputs(TrainStage(), TrainStageTests.options, models: models, rows: pooledRows())
        + outputs(TrainStage(), text, models: models, rows: pooledRows())
    case "evaluate":
      return try outputs(
        EvaluateStage(), .object(JSONObject()), models: ["reference": bench.model()], rows: pooledRows())
    default:
      let run: JSON = [
        "run": ["sed -e 's/.*\"id\":\\(\"[^\"]*\"\\).*/{\"id\":\\1,\"seen\":1}/' {in.rows} > {out.rows}"],
        "shell": true,
        "inputs": [["name": "rows", "type": "rows", "columns": [], "collects": false]],
        "outputs": [["name": "rows", "type": "rows", "columns": ["seen"]]],
      ]
      return try outputs(CommandStage(), run, rows: prompts)
    }
  }

  @Test(arguments: pinned.map(\.stage))
  func `a result that changes has another version`(stage: String) throws {
    let (_, version, digest) = try #require(Self.pinned.first { $0.stage == stage })
    let declared = try #require(Self.declarations.first { $0.name == stage }).version
    let found = String(Digest.of(text: try digests(of: stage).joined(separator: "\n")).hex.prefix(16))
    #expect(
      found == digest && declared == version,
      "pinned: version \(version), \(digest); declared: version \(declared); found: (\"\(stage)\", \(declared), \"\(found)\")"
    )
  }

  static let declarations = [
    DataStage.declaration, DrawStage.declaration, SampleStage.declaration, ScoreStage.declaration,
    NormalizeStage.declaration, QuantizeStage.declaration, AnnotateStage.declaration,
    ExemplarStage.declaration, PoolStage.declaration, TrainStage.declaration, EvaluateStage.declaration,
    CommandStage.declaration,
  ]
}
