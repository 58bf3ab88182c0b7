// `train`: what it writes, conditioning of every kind, refusals, stopping and going on.

import Foundation
import JSON
import Models
import Runner
import Stages
import Synchronization
import System
import Testing
import TinyModel

struct TrainStageTests {
  let bench: ModelBench
  init() { bench = ModelBench() }

  static func objective(kl: Double = 0, entropy: Double = 0, conditioning: String = "strip") -> JSON {
    [
      "kind": "conditional", "kl": .double(kl), "entropy": .double(entropy),
      "kl_direction": "reference_policy",
      "reference_conditioning": .string(conditioning),
    ]
  }

  static func tokens(opening: String = "", words: JSON = .null) -> JSON {
    ["kind": "tokens", "classes": 3, "opening": .string(opening), "words": words]
  }

  static let options: JSON = [
    "lr": 0.01, "batch_size": 4, "epochs": 2, "objective": objective(kl: 0.1, entropy: 0.05),
    "conditioning": tokens(),
  ]

  /// The same with the other objective.
  static let tuning = with([("objective", ["kind": "sft"])])

  private static func with(_ changes: [(String, JSON)]) -> JSON {
    var object = options.objectValue ?? JSONObject()
    for (name, value) in changes { object[name] = value }
    return .object(object)
  }

  private func train(
    _ model: String, _ options: JSON = options, reference: String? = "", rows: [Row] = pooledRows(),
    _ circumstances: ModelBench.Circumstances = .init()
  ) throws -> String {
    var models = ["model": model]
    if let reference { models["reference"] = reference.isEmpty ? model : reference }
    return try bench.run(TrainStage(), options, models: models, rows: rows, circumstances)
  }

  private func weights(_ output: String) throws -> [UInt8] {
    try File.read("\(output)/model/model.safetensors")
  }

  @Test func `a trained model is a whole model that knows its conditioning`() throws {
    let model = try bench.model()
    let output = try train(model)
    let plumb = try bench.json("\(output)/model/plumb.json")
    #expect(
      plumb == [
        "format": 1,
        "conditioning": [
          "kind": "tokens", "prefixes": ["_QUANTILE_TOKEN_0_", "_QUANTILE_TOKEN_1_", "_QUANTILE_TOKEN_2_"],
        ],
        "added_tokens": [
          "classes": ["_QUANTILE_TOKEN_0_", "_QUANTILE_TOKEN_1_", "_QUANTILE_TOKEN_2_"],
          "fillers": ["<|extratoken_1|>", "<|extratoken_2|>", "<|extratoken_3|>"],
        ],
      ])
    let trained = try openCheckpoint("\(output)/model")
    let tokenizer = try trained.requireTokenizer()
    // 485 tokens, three spare rows and three new ones.
    #expect(tokenizer.count == 491 && trained.configuration.vocabularySize == 491)
    #expect(tokenizer.id(of: "_QUANTILE_TOKEN_2_") == 490)
    #expect(bench.log.contains("added 3 tokens: _QUANTILE_TOKEN_0_ _QUANTILE_TOKEN_1_ _QUANTILE_TOKEN_2_"))

    let metrics = try bench.json("\(output)/metrics.json")
    // 15 samples in batches of 4, twice.
    #expect(metrics["steps"] == 8 && metrics["samples"] == 15)
    for name in ["loss", "lm", "kl", "entropy", "gradient_norm", "lr"] {
      #expect(metrics[name]?.arrayValue?.compactMap(\.doubleValue).count == 8, "\(name)")
    }
    let losses = (metrics["loss"]?.arrayValue ?? []).compactMap(\.doubleValue)
    try #require(losses.count == 8)
    #expect(losses[7] < losses[0])

    // It is asked for its best with its own token, which it never says.
    let sampled = try bench.rows(
      bench.run(
        SampleStage(), ["n": 4, "max_new_tokens": 20, "condition": "best", "temperature": 3.0],
        models: ["model": "\(output)/model"],
        rows: prompts, port: "prompts"))
    #expect(
      sampled.allSatisfy { $0["conditioning"]?.arrayValue?.allSatisfy { $0 == "_QUANTILE_TOKEN_0_" } == true }
    )
    #expect(!sampled.contains { $0["generations"]?.text().contains("QUANTILE") ?? true })
  }

  /// The same stages, options and files, with nothing said of the family.
  @Test(arguments: TinyModel.Family.allCases.dropFirst())
  func `models of other families are trained, written and sampled from as a Llama is`(
    family: TinyModel.Family
  ) throws {
    let model = try bench.model { $0.family = family }
    let output = try train(model)
    let asked = family.dropout.map { "`\($0.key)` \($0.rate)" }.joined(separator: ", ")
    #expect(bench.log.contains("trains without dropout; config.json asks for \(asked)"))
    let losses = (try bench.json("\(output)/metrics.json")["loss"]?.arrayValue ?? []).compactMap(
      \.doubleValue)
    try #require(losses.count == 8)
    #expect(losses[7] < losses[0])
    let config = try bench.json("\(output)/model/config.json")
    #expect(config["model_type"] == .string(family.rawValue))
    for (key, rate) in family.dropout { #expect(config[key] == .double(rate)) }
    let trained = try openCheckpoint("\(output)/model")
    #expect(try trained.requireTokenizer().id(of: "_QUANTILE_TOKEN_2_") == 490)
    let original = try openCheckpoint(model)
    for tensor in original.configuration.layout.tensors where tensor.roles.first != .tokenEmbedding {
      #expect(
        try trained.tensors.floats(tensor.name) != original.tensors.floats(tensor.name), "\(tensor.name)")
    }
    let sampled = try bench.rows(
      bench.run(
        SampleStage(), ["n": 2, "max_new_tokens": 20, "condition": "best"],
        models: ["model": "\(output)/model"], rows: prompts, port: "prompts"))
    #expect(sampled.count == prompts.count)
  }

  @Test func `what opens the conditioning is trained on, written down and sampled with`() throws {
    let model = try bench.model()
    let conditioning = Self.tokens(opening: "<|im_start|>")
    let opened = try train(model, Self.with([("conditioning", conditioning)]))
    #expect(try bench.json("\(opened)/model/plumb.json")["conditioning"]?["opening"] == "<|im_start|>")
    #expect(try weights(opened) != weights(try train(model)))

    // Sampled with as it was trained: without it the best class says other things.
    func best() throws -> [JSON?] {
      try bench.rows(
        bench.run(
          SampleStage(), ["n": 2, "max_new_tokens": 12, "condition": "best", "temperature": 1.0],
          models: ["model": "\(opened)/model"], rows: prompts, port: "prompts")
      ).map { $0["generations"] }
    }
    let withOpening = try best()
    #expect(try withOpening == best())
    let plumb: JSON = [
      "format": 1,
      "conditioning": [
        "kind": "tokens", "prefixes": ["_QUANTILE_TOKEN_0_", "_QUANTILE_TOKEN_1_", "_QUANTILE_TOKEN_2_"],
      ],
    ]
    try plumb.text().write(toFile: "\(opened)/model/plumb.json", atomically: true, encoding: .utf8)
    #expect(try withOpening != best())
  }

  @Test func `class tokens can start as words`() throws {
    let model = try bench.model()
    let conditioning = Self.tokens(words: [" good", " good", "the end"])
    // A rate too small to move anything.
    let output = try train(model, Self.with([("conditioning", conditioning), ("lr", 1e-30)]))
    let trained = try openCheckpoint("\(output)/model")
    let tokenizer = try trained.requireTokenizer()
    let table = try trained.tensors.floats("model.embed_tokens.weight")
    let width = trained.configuration.hiddenSize
    func row(_ id: Int32) -> [Float] { Array(table[Int(id) * width..<(Int(id) + 1) * width]) }
    func mean(_ text: String) -> [Float] {
      let rows = tokenizer.encode(text).map(row)
      return row(0).indices.map { column in
        Float(rows.reduce(0.0) { $0 + Double($1[column]) } / Double(rows.count))
      }
    }
    #expect(tokenizer.encode("the end").count > 1)
    #expect(row(488) == mean(" good") && row(489) == mean(" good") && row(490) == mean("the end"))
  }

  @Test func `the numbers of each step go with its progress, under the names that the metrics have`() throws {
    let output = try train(try bench.model())
    let metrics = try bench.json("\(output)/metrics.json")
    let values = bench.reporter.values.withLock { $0 }
    #expect(values.keys.sorted() == ["gradient_norm", "loss"])
    for (name, numbers) in values {
      #expect(numbers.count > 1 && numbers == metrics[name]?.arrayValue?.compactMap(\.doubleValue))
    }
  }

  @Test func `words for another number of classes are refused`() throws {
    let model = try bench.model()
    let conditioning = Self.tokens(words: [" good", " bad"])
    let error = #expect(throws: InputError.self) {
      try train(model, Self.with([("conditioning", conditioning)]))
    }
    #expect(error?.description.contains("has 2 entries for 3 classes") ?? false)
  }

  @Test func `class tokens stand after the embedding's last row, whose rows without a token are named`()
    throws
  {
    let output = try train(try bench.model())
    let trained = try openCheckpoint("\(output)/model")
    let tokenizer = try trained.requireTokenizer()
    #expect(trained.configuration.vocabularySize == 491 && tokenizer.count == 491)
    #expect(tokenizer.id(of: "<|extratoken_1|>") == 485 && tokenizer.id(of: "_QUANTILE_TOKEN_0_") == 488)
    #expect(try undrawableTokens(trained, tokenizer).sorted() == Array(485..<491))
    let untrained = try openCheckpoint(bench.model())
    #expect(try undrawableTokens(untrained, untrained.requireTokenizer()) == [485, 486, 487])
  }

  @Test func `tokens of an earlier conditioning are drawn by no sample of a later policy`() throws {
    let five = try train(try bench.model(), Self.with([("conditioning", Self.tokens())]))
    let text: JSON = ["kind": "text", "prefixes": ["Good. ", "Fair. ", "Bad. "], "opening": ""]
    for conditioning in [text, ["kind": "none"]] {
      let later = try train("\(five)/model", Self.with([("conditioning", conditioning)]))
      let policy = try openCheckpoint("\(later)/model")
      #expect(try undrawableTokens(policy, policy.requireTokenizer()).sorted() == Array(485..<491))
    }
  }

  @Test func `rows without a token are cut off when the vocabulary is the tokenizer's`() throws {
    let output = try train(
      try bench.model(), Self.with([("conditioning", ["kind": "none"]), ("vocabulary", "tokenizer")]))
    #expect(try openCheckpoint("\(output)/model").configuration.vocabularySize == 485)
  }

  @Test func `class tokens take no part in the KL term, whatever the reference has in their places`() throws {
    let model = try bench.model()
    // A rate too small to move anything: the policy is the model with class tokens.
    let policy = try train(model, Self.with([("lr", 1e-30)]))
    let options = Self.with([
      (
        "objective",
        [
          "kind": "conditional", "kl": 1.0, "entropy": 0.0, "kl_direction": "policy_reference",
          "reference_conditioning": "strip",
        ]
      ), ("lr", 1e-30),
    ])
    let found = try ["\(policy)/model", model].map { reference in
      let output = try train("\(policy)/model", options, reference: reference)
      return try bench.json("\(output)/metrics.json")["kl"]
    }
    #expect(found[0] == found[1])
  }

  @Test func `a vocabulary without spare rows grows`() throws {
    let model = try bench.model { $0.spareRows = 0 }
    let trained = try openCheckpoint("\(try train(model))/model")
    #expect(trained.configuration.vocabularySize == 488)
  }

  @Test func `a second training keeps the tokens of the first`() throws {
    let model = try bench.model()
    let first = try train(model)
    let second = try train("\(first)/model", reference: model)
    #expect(bench.log.filter { $0.hasPrefix("added") }.count == 1)
    #expect(try openCheckpoint("\(second)/model").configuration.vocabularySize == 491)
    #expect(try weights(first) != weights(second))
    #expect(try bench.json("\(first)/model/plumb.json") == bench.json("\(second)/model/plumb.json"))
  }

  @Test(arguments: ["bf16", "fp32"], [options, tuning])
  func `threads and engine do not matter`(mode: String, options: JSON) throws {
    let model = try bench.model()
    func run(_ circumstances: ModelBench.Circumstances, seed: UInt64 = 1) throws -> String {
      try bench.run(
        TrainStage(), options, models: ["model": model, "reference": model], rows: pooledRows(),
        mode: mode,
        seed: seed, circumstances)
    }
    let expected = try run(.init())
    for circumstances in [
      ModelBench.Circumstances(threads: 1, engine: ["batch": 1]), .init(threads: 3, engine: ["batch": 17]),
      .init(engine: ["batch": 10_000]),
    ] {
      let found = try run(circumstances)
      #expect(try weights(found) == weights(expected))
      #expect(try bench.json("\(found)/metrics.json") == bench.json("\(expected)/metrics.json"))
    }
    #expect(try weights(run(.init(), seed: 2)) != weights(expected))
  }

  @Test func `the order of rows does not matter`() throws {
    let model = try bench.model()
    let expected = try train(model)
    #expect(try weights(train(model, rows: pooledRows().reversed())) == weights(expected))
  }

  @Test func `prefixes of text are kept, and add no tokens`() throws {
    let model = try bench.model()
    let prefixes: JSON = ["Good. ", "Fair. ", "Bad. "]
    let output = try train(
      model, Self.with([("conditioning", ["kind": "text", "prefixes": prefixes, "opening": ""])]))
    #expect(
      try bench.json("\(output)/model/plumb.json") == [
        "format": 1, "conditioning": ["kind": "text", "prefixes": prefixes],
        "added_tokens": ["classes": [], "fillers": []],
      ])
    let trained = try openCheckpoint("\(output)/model")
    #expect(try trained.requireTokenizer().count == 485 && trained.configuration.vocabularySize == 488)
    #expect(!bench.log.contains { $0.hasPrefix("added") })
  }

  @Test func `without conditioning the classes are not read`() throws {
    let model = try bench.model()
    var rows = pooledRows()
    for index in rows.indices { rows[index]["quantiles"] = .null }
    rows = rows.map { row in
      Row(
        .object(
          JSONObject(
            (row.columns.objectValue?.members ?? []).filter { $0.key != "quantiles" }.map {
              ($0.key, $0.value)
            })))
    }
    let output = try train(model, Self.with([("conditioning", ["kind": "none"])]), rows: rows)
    #expect(
      try bench.json("\(output)/model/plumb.json")
        == ["format": 1, "conditioning": .null, "added_tokens": ["classes": [], "fillers": []]])
    // Sampled plainly afterwards.
    let sampled = try bench.rows(
      bench.run(
        SampleStage(), ["max_new_tokens": 3, "condition": "best"], models: ["model": "\(output)/model"],
        rows: prompts,
        port: "prompts"))
    #expect(sampled.allSatisfy { $0["conditioning"]?.arrayValue?.allSatisfy(\.isNull) == true })
    let missing = inputError { _ = try train(model, rows: rows) }
    #expect(
      missing.contains("row `q0`: sample 0 has no class in the column `quantiles`; is `quantize` missing?"),
      "\(missing)")
  }

  @Test func `generation_config.json goes with the model, and all its end tokens with it`() throws {
    let model = try bench.model()
    let text = #"{"eos_token_id": [5, 2], "temperature": 0.6, "_from_model_config": false}"#
    try text.write(toFile: "\(model)/generation_config.json", atomically: true, encoding: .utf8)
    let trained = try openCheckpoint("\(try train(model))/model")
    #expect(try trained.generationConfig == JSON(parsing: text))
    #expect(trained.endTokens == [2, 5])
  }

  @Test func `frozen blocks are written as they were`() throws {
    let model = try bench.model()
    let output = try train(model, Self.with([("unfrozen_ratio", 0.5), ("train_embeddings", false)]))
    let (before, after) = (
      try SafeTensorsFile("\(model)/model.safetensors"),
      try SafeTensorsFile("\(output)/model/model.safetensors")
    )
    func floats(_ file: SafeTensorsFile, _ name: String) throws -> [Float] { try file.floats(name) }
    for name in try openCheckpoint(model).configuration.layout.names
    where name != "model.embed_tokens.weight" {
      let isSame = try floats(before, name) == floats(after, name)
      #expect(isSame == name.hasPrefix("model.layers.0."), "\(name)")
    }
    // Of the embedding only the new rows differ.
    let name = "model.embed_tokens.weight"
    #expect(try floats(before, name).prefix(485 * 64) == floats(after, name).prefix(485 * 64))
    #expect(try floats(before, name) != floats(after, name))
  }

  @Test func `what cannot be trained on is named`() throws {
    let model = try bench.model { $0.contextLength = 32 }
    func refusal(
      _ options: JSON = Self.options, reference: String? = "", _ change: (inout Row) -> Void = { _ in }
    ) -> String {
      var rows = pooledRows()
      change(&rows[3])
      return inputError { _ = try train(model, options, reference: reference, rows: rows) }
    }
    #expect(refusal { $0["quantiles"] = [0, nil, 1] }.contains("row `q3`: sample 1 has no class"))
    #expect(
      refusal { $0["quantiles"] = [0, 1, 3] }.contains(
        "row `q3`: sample 2 is of class 3, but `conditioning` has classes 0 to 2"))
    #expect(
      refusal { $0["generations"] = ["x", .string(String(repeating: "zq", count: 20)), "y"] }.contains(
        "1 of 15 samples has more than 32 tokens, which is the model's context; the longest, of sample 1 of row `q3`, has"
      ))
    #expect(refusal { $0["generations"] = ["x", 1, "y"] }.contains("row `q3`: generation 1 is not a string"))
    #expect(refusal(reference: nil).contains("`objective.kl` is 0.1, which needs the input `reference`"))
    #expect(
      refusal(Self.with([("batch_size", 100), ("drop_last", true)])).contains(
        "15 samples make no full batch of 100"))
    #expect(inputError { _ = try train(model, rows: []) }.contains("nothing to train on"))
    let reward = try bench.model("reward") { $0.head = TinyModel.rewardHead }
    #expect(inputError { _ = try train(reward) }.contains("`score.weight`"))
  }

  /// The start model has no quantile tokens to read.
  @Test func `a reference that lacks a token it is to read is refused`() throws {
    let model = try bench.model { $0.spareRows = 0 }
    let text = inputError {
      _ = try train(model, Self.with([("objective", Self.objective(kl: 0.1, conditioning: "keep"))]))
    }
    #expect(text.contains("`reference_conditioning: keep`") && text.contains("485"), "\(text)")
    // One that was trained with them can.
    let first = try train(model)
    _ = try train(
      "\(first)/model", Self.with([("objective", Self.objective(kl: 0.1, conditioning: "keep"))]),
      reference: "\(first)/model")
  }

  @Test(arguments: [1, 4, 7], [options, tuning])
  func `training that was stopped goes on to the same bytes`(step: Int, options: JSON) throws {
    let model = try bench.model()
    func train(_ circumstances: ModelBench.Circumstances = .init()) throws -> String {
      try self.train(model, options, circumstances)
    }
    let expected = try train()
    let stopping = StoppingReporter(after: step)
    #expect(throws: CancellationError.self) {
      _ = try train(.init(checkpoints: "kept", reporter: stopping))
    }
    let found = try train(.init(threads: 1, engine: ["batch": 1], checkpoints: "kept"))
    #expect(bench.log.contains("continues at step \(step + 1) of 8"))
    #expect(try weights(found) == weights(expected))
    #expect(try bench.json("\(found)/metrics.json") == bench.json("\(expected)/metrics.json"))
  }

  @Test func `steps are those of as many epochs, and end inside of one`() throws {
    let model = try bench.model()
    func losses(_ changes: [(String, JSON)]) throws -> [Double] {
      let schedule: [(String, JSON)] = [("decay", "constant"), ("warmup_steps", 2)]
      let output = try train(model, Self.with(schedule + changes))
      return (try bench.json("\(output)/metrics.json")["loss"]?.arrayValue ?? []).compactMap(\.doubleValue)
    }
    // 15 samples in batches of 4.
    let epochs = try losses([("epochs", 3)])
    try #require(epochs.count == 12)
    #expect(try losses([("epochs", 1), ("steps", 12)]) == epochs)
    #expect(try losses([("epochs", 1), ("steps", 7)]) == Array(epochs.prefix(7)))
  }

  @Test func `the optimizer can be chosen, and tensors be left without decay`() throws {
    let model = try bench.model()
    func trained(_ optimizer: JSON) throws -> [UInt8] {
      let options = Self.with([("optimizer", optimizer), ("steps", 3), ("epochs", 1)])
      return try weights(train(model, options))
    }
    func adam(_ kind: JSON, decay: JSON = 0.5, _ excluded: JSON = []) -> JSON {
      [
        "kind": kind, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": decay,
        "no_decay": excluded,
      ]
    }
    let plain = try trained(nil)
    #expect(try trained(adam("adamw", decay: 0.0)) == plain && trained(adam("adam", decay: 0.0)) == plain)
    let rmsprop: JSON = [
      "kind": "rmsprop", "alpha": 0.99, "epsilon": 1e-8, "weight_decay": 0.0, "no_decay": [],
    ]
    let different = try [
      plain, trained(adam("adamw")), trained(adam("adam")), trained(adam("adamw", ["norm"])),
      trained(rmsprop),
    ]
    #expect(Set(different).count == 5)
    #expect(try trained(adam("adamw", ["model."])) == plain)
    let text = inputError { _ = try trained(adam("adamw", ["norm", "bias"])) }
    #expect(
      text.contains("`optimizer.no_decay` has \"bias\", which is in the name of no tensor that trains"),
      "\(text)")
  }

  @Test func `fine-tuning reports its own terms, and reads neither classes nor a reference`() throws {
    let model = try bench.model()
    let options = Self.with([("objective", ["kind": "sft"]), ("conditioning", ["kind": "none"])])
    let rows = pooledRows().map { row in
      Row(
        .object(
          JSONObject(
            (row.columns.objectValue?.members ?? []).filter { $0.key != "quantiles" }.map {
              ($0.key, $0.value)
            }))
      )
    }
    let output = try train(model, options, reference: nil, rows: rows)
    let metrics = try bench.json("\(output)/metrics.json")
    #expect(
      metrics.objectValue?.members.map(\.key) == ["loss", "lm", "gradient_norm", "lr", "steps", "samples"])
    #expect(metrics["steps"] == 8 && metrics["samples"] == 15 && metrics["loss"] == metrics["lm"])
    let losses = (metrics["loss"]?.arrayValue ?? []).compactMap(\.doubleValue)
    try #require(losses.count == 8)
    #expect(losses[7] < losses[0])
    #expect(try bench.json("\(output)/model/plumb.json")["conditioning"] == .null)

    #expect(try weights(train(model, options, reference: model, rows: rows)) == weights(output))
    let conditional = Self.with([("objective", Self.objective()), ("conditioning", ["kind": "none"])])
    #expect(try weights(train(model, conditional, reference: nil, rows: rows)) == weights(output))
  }

  @Test func `fine-tuning with classes gives a model that knows its conditioning`() throws {
    let output = try train(try bench.model(), Self.tuning, reference: nil)
    #expect(try bench.json("\(output)/model/plumb.json")["conditioning"]?["prefixes"]?.arrayValue?.count == 3)
    let missing = inputError {
      var row = pooledRows()[0]
      row["quantiles"] = [nil, nil, nil]
      _ = try train(try bench.model(), Self.tuning, reference: nil, rows: [row])
    }
    #expect(missing.contains("has no class in the column `quantiles`"), "\(missing)")
  }

  @Test func `the names of a training's metrics are those of its objective`() {
    func names(_ objective: JSON?) -> [String]? {
      let options = JSON.object(JSONObject(objective.map { [("objective", $0)] } ?? []))
      return TrainStage.declaration(for: options).outputs.last?.names
    }
    #expect(
      names(Self.objective()) == [
        "loss", "lm", "kl", "entropy", "gradient_norm", "lr", "steps", "samples",
      ])
    #expect(names(["kind": "sft"]) == ["loss", "lm", "gradient_norm", "lr", "steps", "samples"])
    #expect(names(nil) == nil && names(["kind": "none"]) == nil)
  }

  private func train(_ model: String, _ options: JSON, _ circumstances: ModelBench.Circumstances) throws
    -> String
  {
    try train(model, options, reference: "", rows: pooledRows(), circumstances)
  }
}
