// `objective: {kind: classify}`: labels by row and by sample, the classifier that comes of them, and what is refused.

import JSON
import Models
import Runner
import Stages
import System
import Testing
import TinyModel

@Suite struct ClassifyTrainTests {
  let bench = ModelBench()

  /// Labels by sample under `feedbacks`, and by row under `kind`.
  static let rows: [Row] = [
    (" fine", " old", "good", "bad"), (" had been fine", " x", "good", "none"),
    (" nobody counted", " it was fine", "bad", "good"), (" anyone", " old film", "none", "bad"),
  ].enumerated().map { index, item in
    Row([
      "id": .string("p\(index)"), "prompt": .string("The film \(index)"),
      "generations": [.string(item.0), .string(item.1)], "feedbacks": [.string(item.2), .string(item.3)],
      "kind": .string(item.2), "number": .int(Int64(index % 2)),
    ])
  }

  private func train(
    _ model: String, labels: JSON = ["bad", "none", "good"], column: String = "feedbacks", rows: [Row] = rows,
    epochs: Int = 12, objective: [(String, JSON)] = [], mode: String = "bf16",
    _ circumstances: ModelBench.Circumstances = .init()
  ) throws -> String {
    var written = JSONObject([("kind", "classify"), ("labels", labels), ("column", .string(column))])
    for (name, value) in objective { written[name] = value }
    return try bench.run(
      TrainStage(),
      ["lr": 0.01, "batch_size": 3, "epochs": .int(Int64(epochs)), "objective": .object(written)],
      models: ["model": model], rows: rows, mode: mode, circumstances)
  }

  private func weights(_ output: String) throws -> [UInt8] {
    try File.read("\(output)/model/model.safetensors")
  }

  @Test func `a language model becomes a classifier that knows its texts`() throws {
    let output = try train(try bench.model())
    let metrics = try bench.json("\(output)/metrics.json")
    let names: [String] = [
      "loss", "cross_entropy", "accuracy", "gradient_norm", "lr", "steps", "samples", "samples_unlabelled",
      "samples_too_long", "texts_cut",
    ]
    #expect(metrics.objectValue?.keys == names)
    #expect(metrics["steps"] == 36)
    #expect(metrics["samples"] == 8)
    #expect(bench.log.contains("texts by label: 3 of `bad`, 2 of `none`, 3 of `good`"))
    #expect((metrics["accuracy"]?.arrayValue ?? []).suffix(3).allSatisfy { $0 == 1 }, "\(metrics)")
    let trained = try openCheckpoint("\(output)/model")
    #expect(trained.configuration.head == .classification(labels: ["bad", "none", "good"]))
    let config = try bench.json("\(output)/model/config.json")
    #expect(config["id2label"] == ["0": "bad", "1": "none", "2": "good"])
    #expect(config["architectures"] == ["LlamaForSequenceClassification"])
    let scored = try bench.rows(
      bench.run(
        ScoreStage(), ["scorer": ["kind": "reward", "label": "good", "output": "probability"]],
        models: ["model": "\(output)/model"], rows: Self.rows))
    for row in scored {
      for (reward, label) in zip(row["rewards"]?.arrayValue ?? [], row["feedbacks"]?.arrayValue ?? []) {
        #expect(((reward.doubleValue ?? 0) > 0.5) == (label == "good"), "\(row)")
      }
    }
  }

  @Test func `labels may be the row's, and integers or booleans`() throws {
    let model = try bench.model()
    _ = try train(model, labels: ["bad", "none", "good"], column: "kind", epochs: 1)
    #expect(bench.log.contains("texts by label: 2 of `bad`, 2 of `none`, 4 of `good`"))
    _ = try train(model, labels: ["1", "0"], column: "number", epochs: 1)
    #expect(bench.log.contains("texts by label: 4 of `1`, 4 of `0`"))
  }

  @Test func `texts without a label or too long are left out, and counted`() throws {
    var rows = Self.rows
    rows[0]["feedbacks"] = ["good", nil]
    rows[1]["generations"] = [.string(String(repeating: " nobody counted", count: 12)), " x"]
    let output = try train(
      try bench.model(), rows: rows, epochs: 1, objective: [("max_length", 20), ("overflow", "drop")])
    let metrics = try bench.json("\(output)/metrics.json")
    #expect(metrics["samples"] == 6)
    #expect(metrics["samples_unlabelled"] == 1)
    #expect(metrics["samples_too_long"] == 1)
    #expect(bench.log.contains("1 samples without a label left out"))
    rows = rows.map { row in
      var row = row
      row["feedbacks"] = [nil, nil]
      return row
    }
    #expect(
      inputError { _ = try train(try bench.model(), rows: rows) }
        == "there is nothing to train on: 8 samples have no label in the column `feedbacks`, and 0 are too long"
    )
  }

  @Test func `a label that is none of the model's, and a model of other labels, are refused`() throws {
    let model = try bench.model()
    #expect(
      inputError { _ = try train(model, labels: ["bad", "Good", "none"]) }
        == "row `p0`: the label `good` in the column `feedbacks` is none of `objective.labels`; did you mean `Good`?"
    )
    #expect(inputError { _ = try train(model, column: "missing") } == "row `p0`: no column `missing`")
    #expect(
      inputError { _ = try train(model, column: "generations") }.contains("is none of `objective.labels`"))
    let other = try bench.model("other") { $0.head = .classification(labels: ["good", "bad", "none"]) }
    #expect(
      inputError { _ = try train(other) }.hasSuffix(
        "input `model` needs a language model, or a classifier of `bad`, `none`, `good`, in this order, but this is a classifier of 3 labels: `good`, `bad`, `none`"
      ))
    let same = try bench.model("same") { $0.head = .classification(labels: ["bad", "none", "good"]) }
    #expect(try bench.json("\(train(same, epochs: 1))/metrics.json")["samples"] == 8)
  }

  @Test(arguments: ["bf16", "fp32"])
  func `threads, engine and the order of rows do not matter`(mode: String) throws {
    let model = try bench.model()
    func run(_ circumstances: ModelBench.Circumstances, rows: [Row] = Self.rows) throws -> String {
      try train(model, rows: rows, epochs: 2, mode: mode, circumstances)
    }
    let expected = try run(.init())
    for circumstances in [
      ModelBench.Circumstances(threads: 1, engine: ["batch": 1]), .init(threads: 3, engine: ["batch": 20]),
    ] {
      let found = try run(circumstances)
      #expect(try weights(found) == weights(expected))
      #expect(try bench.json("\(found)/metrics.json") == bench.json("\(expected)/metrics.json"))
    }
    #expect(try weights(run(.init(), rows: Self.rows.reversed())) == weights(expected))
  }
}
