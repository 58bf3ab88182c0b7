// `objective: {kind: pairwise}`: which pairs rows give, what is left out and counted, and the reward model that comes of them.

import JSON
import Models
import Runner
import Stages
import System
import Testing
import TinyModel

@Suite struct PairwiseTrainTests {
  let bench = ModelBench()

  /// Of each row the first generation is good, and has the higher reward.
  static let rows: [Row] = [
    (" the old film", " counted on nobody"), (" had been fine", " had been"), (" was old, for 4", " x"),
    (" and they", " and nobody counted"), (" fine", " anyone"), (" it was fine and old", " it counted"),
  ].enumerated().map { index, texts in
    Row([
      "id": .string("p\(index)"), "prompt": .string("The film \(index)"),
      "generations": [.string(texts.0), .string(texts.1)], "rewards": [1.5, -2],
    ])
  }

  private static func options(_ objective: [(String, JSON)] = [], _ others: [(String, JSON)] = []) -> JSON {
    var object = JSONObject([("kind", "pairwise")])
    for (name, value) in objective { object[name] = value }
    var options = JSONObject([("lr", 0.01), ("batch_size", 2), ("epochs", 6), ("objective", .object(object))])
    for (name, value) in others { options[name] = value }
    return .object(options)
  }

  private func train(
    _ model: String, _ objective: [(String, JSON)] = [], others: [(String, JSON)] = [], rows: [Row] = rows,
    mode: String = "bf16", seed: UInt64 = 1, _ circumstances: ModelBench.Circumstances = .init()
  ) throws -> String {
    try bench.run(
      TrainStage(), Self.options(objective, others), models: ["model": model], rows: rows, mode: mode,
      seed: seed, circumstances)
  }

  private func weights(_ output: String) throws -> [UInt8] {
    try File.read("\(output)/model/model.safetensors")
  }

  private func changed(_ index: Int, _ change: (inout Row) -> Void) -> [Row] {
    var rows = Self.rows
    change(&rows[index])
    return rows
  }

  @Test(arguments: ["diverging", "last"])
  func `a language model becomes a reward model that agrees with its pairs`(positions: String) throws {
    let model = try bench.model()
    var output = ""
    let accuracies = try [model, "trained"].map { path in
      let isTrained = path == "trained"
      var reward = path
      if isTrained {
        output = try train(model, [("positions", .string(positions)), ("template", "{prompt}:{generation}")])
        reward = "\(output)/model"
        let metrics = try bench.json("\(output)/metrics.json")
        let names: [String] = [
          "loss", "pairwise", "accuracy", "margin", "gradient_norm", "lr", "steps", "samples",
          "rows_without_pair", "pairs_equal", "pairs_short", "pairs_too_long", "pairs_equal_tokens",
          "texts_cut",
        ]
        #expect(metrics.objectValue?.keys == names)
        #expect(metrics["steps"] == 18)
        #expect(metrics["samples"] == 6)
        #expect(metrics["pairs_equal"] == 0)
        let losses = (metrics["loss"]?.arrayValue ?? []).compactMap(\.doubleValue)
        try #require(losses.count == 18)
        let (first, last) = (losses.prefix(3).reduce(0, +), losses.suffix(3).reduce(0, +))
        #expect(last < 0.5 * first, "\(losses)")
        #expect(metrics["loss"] == metrics["pairwise"])
      } else {
        // One with a head that knows nothing.
        reward = try bench.model("random") { $0.head = .value }
      }
      let scored = try bench.run(
        ScoreStage(), ["scorer": ["kind": "reward", "template": "{prompt}:{generation}"]],
        models: ["model": reward], rows: Self.rows)
      let evaluated = try bench.run(
        EvaluateStage(), ["metrics": ["accuracy"]], rows: try bench.rows(scored))
      let found = try bench.json("\(evaluated)/metrics.json")
      #expect(found["accuracy_pairs"] == 6)
      #expect(found["accuracy_longer"]?.doubleValue == 3.0 / 6)
      return try #require(found["accuracy"]?.doubleValue)
    }
    #expect(accuracies[0] < 1)
    #expect(accuracies[1] == 1)

    let trained = try openCheckpoint("\(output)/model")
    #expect(trained.configuration.head == .value)
    #expect(trained.configuration.layout.names.last == "v_head.weight")
    let plumb = try #require(trained.plumb)
    #expect(plumb["conditioning"] == .some(.null))
    #expect(plumb["texts"]?["template"] == "{prompt}:{generation}")
    #expect(plumb["texts"]?["strip"] == false)
    #expect(!bench.log.contains { $0.contains("the model was trained with") })
  }

  @Test func `a scorer that makes other texts than those of the training says so`() throws {
    let model = "\(try train(try bench.model()))/model"
    _ = try bench.run(
      ScoreStage(), ["scorer": ["kind": "reward", "template": "{prompt}\n{generation}", "strip": true]],
      models: ["model": model], rows: Self.rows)
    #expect(
      bench.log.filter { $0.contains("the model was trained with") } == [
        "warning: `template` is \"{prompt}\\n{generation}\", but the model was trained with \"{prompt}{generation}\"",
        "warning: `strip` is true, but the model was trained with false",
      ])
  }

  @Test func `the head is drawn by the seed, and a reward model keeps its own`() throws {
    let model = try bench.model()
    let still: [(String, JSON)] = [("lr", 1e-30)]
    func head(_ model: String, _ name: String, seed: UInt64 = 1) throws -> [Float] {
      try openCheckpoint("\(try train(model, others: still, seed: seed))/model").tensors.floats(name)
    }
    let first = try head(model, "v_head.weight")
    #expect(try head(model, "v_head.weight") == first && head(model, "v_head.weight", seed: 2) != first)
    let value = try bench.model("value") { $0.head = .value }
    #expect(
      try head(value, "v_head.weight") == openCheckpoint(value).tensors.floats("v_head.weight"))
    let label = try bench.model("label") { $0.head = TinyModel.rewardHead }
    #expect(try head(label, "score.weight") == openCheckpoint(label).tensors.floats("score.weight"))
    let three = try bench.model("three") { $0.head = .classification(labels: ["a", "b", "c"]) }
    #expect(
      inputError { _ = try train(three) }.hasSuffix(
        "input `model` needs a language model, or a reward model whose head gives one number, but this is a classifier of 3 labels: `a`, `b`, `c`"
      ))
  }

  @Test func `the first generation is preferred on demand, without any column`() throws {
    let model = try bench.model()
    let expected = try weights(train(model))
    let bare = Self.rows.map { row in
      var row = row
      row["rewards"] = nil
      return row
    }
    #expect(try weights(train(model, [("preferred", "first")], rows: bare)) == expected)
    #expect(inputError { _ = try train(model, rows: bare) } == "row `p0`: no column `rewards`")
    let turned = Self.rows.map { row in
      var row = row
      row["generations"] = .array((row["generations"]?.arrayValue ?? []).reversed())
      row["scores"] = [0, 1]
      return row
    }
    // The ids of pairs name places, so that their order is another; a batch of all has no order.
    let all: [(String, JSON)] = [("batch_size", 6), ("gradient_leaves", 6)]
    let metrics = try bench.json("\(train(model, others: all))/metrics.json")
    let found = try bench.json(
      "\(train(model, [("column", "scores")], others: all, rows: turned))/metrics.json")
    let (a, b) = (
      metrics["loss"]?.arrayValue?.first?.doubleValue, found["loss"]?.arrayValue?.first?.doubleValue
    )
    #expect(abs((a ?? 0) - (b ?? 1)) < 1e-6)
  }

  @Test func `a row gives its best and its worst, or every two of which one is preferred`() throws {
    let row = Row([
      "id": "r", "prompt": "The film", "generations": [" a", " b", " c", " d", " e"],
      "rewards": [0, 2, nil, 2, -1],
    ])
    let model = try bench.model()
    func samples(_ objective: [(String, JSON)], rows: [Row] = [row]) throws -> JSON? {
      try bench.json("\(train(model, objective, rows: rows))/metrics.json")["samples"]
    }
    #expect(try samples([]) == 1)
    // 2 > 0, 2 > -1 (each twice), 0 > -1.
    #expect(try samples([("pairs", "all")]) == 5)
    #expect(try samples([("pairs", "all"), ("preferred", "first")]) == 4)
    #expect(
      inputError { _ = try samples([("preferred", "first")]) }
        == "row `r` has 5 generations, and `preferred` is `first`: `pairs: all` prefers the first to each of the others"
    )
    #expect(
      inputError { _ = try samples([], rows: changed(2) { $0["rewards"] = ["high", 1] }) }
        == "row `p2`: entry 0 of `rewards` is a string; expected a finite number or null")
  }

  @Test func `what is no pair is left out and counted by its reason`() throws {
    var rows = Self.rows
    rows[0]["rewards"] = [1, 1]
    rows[1]["rewards"] = [1, nil]
    rows[2]["generations"] = [" the same words", " the same words"]
    rows[3]["generations"] = [" they had been", " x"]
    let long = String(repeating: " nobody counted", count: 12)
    rows[4]["generations"] = [.string(" two words"), .string(long)]
    // Equal once they are stripped.
    rows.append(
      Row([
        "id": "equal", "prompt": "The film", "generations": [" had been", " had been  "], "rewards": [1, 0],
      ]))
    let output = try train(
      try bench.model(),
      [("min_words", 2), ("max_length", 30), ("overflow", "drop"), ("strip", true)], rows: rows)
    let metrics = try bench.json("\(output)/metrics.json")
    #expect(metrics["samples"] == 1)
    #expect(metrics["rows_without_pair"] == 2)
    #expect(metrics["pairs_equal"] == 1)
    #expect(metrics["pairs_short"] == 1)
    #expect(metrics["pairs_too_long"] == 1)
    #expect(metrics["pairs_equal_tokens"] == 1)
    for line in [
      "2 rows without a pair left out", "1 pairs of equal texts left out",
      "1 pairs with a text of few words left out", "1 pairs with a text that is too long left out",
      "1 pairs of equal tokens left out",
    ] { #expect(bench.log.contains(line), "\(bench.log)") }
    let cut = try train(try bench.model(), [("max_length", 30)], rows: rows)
    #expect(try bench.json("\(cut)/metrics.json")["texts_cut"] == 1)
    let nothing = inputError { _ = try train(try bench.model(), rows: Array(rows[...1])) }
    #expect(
      nothing
        == "there is nothing to train on: of 2 rows there are 2 rows without a pair")
    #expect(
      inputError { _ = try train(try bench.model(), [("max_length", 2)]) }
        == "there is nothing to train on: of 6 rows there are 6 pairs of equal tokens; tokens are equal where what differs is cut off: raise `max_length`, or cut the prompt by `overflow: cut`"
    )
  }

  @Test func `the shorter text is filled by the token that is asked for`() throws {
    let model = try bench.model()
    let expected = try weights(train(model))
    // The model's end token.
    #expect(try weights(train(model, [("pad", "<|im_end|>")])) == expected)
    #expect(try weights(train(model, [("read_before", "<|im_end|>")])) == expected)
    #expect(try weights(train(model, [("pad", "<|im_start|>")])) != expected)
    #expect(
      inputError { _ = try train(model, [("pad", "<pad>")]) }
        == "`objective.pad` is `<pad>`, which is no special token of the model")
  }

  @Test(arguments: ["bf16", "fp32"], ["diverging", "last"])
  func `threads, engine and the order of rows do not matter`(mode: String, positions: String) throws {
    let model = try bench.model()
    func run(_ circumstances: ModelBench.Circumstances, rows: [Row] = Self.rows) throws -> String {
      try train(model, [("positions", .string(positions))], rows: rows, mode: mode, circumstances)
    }
    let expected = try run(.init())
    for circumstances in [
      ModelBench.Circumstances(threads: 1, engine: ["batch": 1]), .init(threads: 3, engine: ["batch": 50]),
      .init(engine: ["batch": 10_000, "memory": 1]),
    ] {
      let found = try run(circumstances)
      #expect(try weights(found) == weights(expected))
      #expect(try bench.json("\(found)/metrics.json") == bench.json("\(expected)/metrics.json"))
    }
    #expect(try weights(run(.init(), rows: Self.rows.reversed())) == weights(expected))
  }

  @Test(arguments: [1, 4])
  func `an interrupted training goes on to the same bytes`(step: Int) throws {
    let model = try bench.model()
    let expected = try train(model)
    #expect(throws: CancellationError.self) {
      _ = try train(model, .init(checkpoints: "kept", reporter: StoppingReporter(after: step)))
    }
    let found = try train(model, .init(threads: 1, engine: ["batch": 1], checkpoints: "kept"))
    #expect(bench.log.contains("continues at step \(step + 1) of 18"))
    #expect(try weights(found) == weights(expected))
    #expect(try bench.json("\(found)/metrics.json") == bench.json("\(expected)/metrics.json"))
  }

  private func train(_ model: String, _ circumstances: ModelBench.Circumstances) throws -> String {
    try train(model, [], others: [], rows: Self.rows, mode: "bf16", seed: 1, circumstances)
  }
}
