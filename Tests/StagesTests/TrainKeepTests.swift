// Held-out losses along a training, models from its middle, and the best of them.

import JSON
import Models
import Runner
import Stages
import System
import Testing
import TinyModel

struct TrainKeepTests {
  let bench = ModelBench()

  /// Without a warm-up and a decay, so that a shorter training is the beginning of a longer one.
  private func train(
    _ model: String, _ changes: [(String, JSON)], validation: [Row]? = nil, rows: [Row] = pooledRows(),
    _ circumstances: ModelBench.Circumstances = .init()
  ) throws -> String {
    let usual: JSON = [
      "lr": 0.01, "batch_size": 4, "objective": TrainStageTests.objective(kl: 0.1, entropy: 0.05),
      "conditioning": TrainStageTests.tokens(), "steps": 6, "warmup_ratio": 0.0, "decay": "constant",
    ]
    var options = usual.objectValue ?? JSONObject()
    for (name, value) in changes { options[name] = value }
    var files: [String: String] = [:]
    if let validation {
      files["validation"] = "\(bench.path)/validation.jsonl"
      try writeRows(validation, to: files["validation"] ?? "")
    }
    return try bench.run(
      TrainStage(), .object(options), models: ["model": model, "reference": model], files: files, rows: rows,
      circumstances)
  }

  private func weights(_ output: String, _ port: String = "model") throws -> [UInt8] {
    try File.read("\(output)/\(port)/model.safetensors")
  }

  private func series(_ output: String, _ name: String) throws -> [Double] {
    (try bench.json("\(output)/metrics.json")[name]?.arrayValue ?? []).compactMap(\.doubleValue)
  }

  /// Rows that are unlike those that are trained on.
  private static let others: [Row] = pooledRows(2).enumerated().map { index, row in
    var row = row
    row["prompt"] = "They had never"
    row["generations"] = ["counted on it", "zq zq zq", .string(" \(index) anyone")]
    return row
  }

  /// The loss of the next step on the same rows, all in one batch, is the loss on them as rows that are held out.
  @Test func `the held-out loss is the loss, and changes nothing`() throws {
    let model = try bench.model()
    let plain = try train(model, [("batch_size", 15)])
    let found = try train(
      model, [("batch_size", 15), ("evaluate_every", 2)], validation: pooledRows(),
      .init(engine: ["batch": 1]))
    #expect(try weights(found) == weights(plain))
    for name in ["loss", "lm", "kl", "entropy"] {
      let (held, trained) = (try series(found, "validation_\(name)"), try series(plain, name))
      #expect(
        held.count == 3 && abs(held[0] - trained[2]) < 1e-9 && abs(held[1] - trained[4]) < 1e-9, "\(name)")
    }
    let metrics = try bench.json("\(found)/metrics.json")
    #expect(metrics["validation_steps"] == [2, 4, 6] && metrics["best_step"] == 6)
    // After the last step too, where it is none of them.
    let uneven = try train(model, [("evaluate_every", 4)], validation: Self.others)
    #expect(try bench.json("\(uneven)/metrics.json")["validation_steps"] == [4, 6])
  }

  @Test func `models from the middle are those of shorter trainings`() throws {
    let model = try bench.model()
    let output = try train(model, [("keep_every", 2)])
    #expect(
      TrainStage.declaration(for: ["steps": 6, "keep_every": 2]).outputs.map(\.name) == [
        "model", "metrics", "step_2", "step_4",
      ])
    for steps in [2, 4] {
      let shorter = try train(model, [("steps", .int(Int64(steps)))])
      #expect(try weights(output, "step_\(steps)") == weights(shorter))
      #expect(
        try File.read("\(output)/step_\(steps)/plumb.json") == File.read("\(shorter)/model/plumb.json"))
    }
    #expect(try weights(output) == weights(train(model, [])))
  }

  /// A rate at which the rows are learned by heart, and others are forgotten.
  private static let overfitting: [(String, JSON)] = [
    ("lr", 0.03), ("steps", 10), ("evaluate_every", 1), ("keep_every", 1), ("keep_best", true),
  ]

  @Test func `the best model is that of the step with the lowest held-out loss`() throws {
    let output = try train(try bench.model(), Self.overfitting, validation: Self.others)
    let losses = try series(output, "validation_loss")
    let lowest = try #require(losses.min())
    let best = try #require(losses.firstIndex(of: lowest)) + 1
    #expect(losses.count == 10 && best < 10, "\(losses)")
    #expect(try bench.json("\(output)/metrics.json")["best_step"] == .int(Int64(best)))
    #expect(try weights(output) == weights(output, "step_\(best)"))
    #expect(
      bench.log.contains(
        "the loss on `validation` was lowest after step \(best) of 10, whose model is given"))
  }

  @Test(arguments: [1, 5, 9])
  func `a training that was stopped keeps the same models and losses`(step: Int) throws {
    let model = try bench.model()
    func train(_ circumstances: ModelBench.Circumstances = .init()) throws -> String {
      try self.train(
        model, Self.overfitting, validation: Self.others, rows: pooledRows(), circumstances)
    }
    let expected = try train()
    #expect(throws: CancellationError.self) {
      _ = try train(.init(checkpoints: "kept", reporter: StoppingReporter(after: step)))
    }
    let found = try train(.init(threads: 1, engine: ["batch": 1], checkpoints: "kept"))
    #expect(bench.log.contains("continues at step \(step + 1) of 10"))
    for port in ["model"] + (1..<10).map({ "step_\($0)" }) {
      #expect(try weights(found, port) == weights(expected, port), "\(port)")
    }
    #expect(try bench.json("\(found)/metrics.json") == bench.json("\(expected)/metrics.json"))
  }

  @Test func `a checkpoint of a training without held-out rows is passed over`() throws {
    let model = try bench.model()
    let changes: [(String, JSON)] = [("evaluate_every", 2)]
    let expected = try train(model, changes, validation: Self.others)
    #expect(throws: CancellationError.self) {
      _ = try train(model, [], .init(checkpoints: "kept", reporter: StoppingReporter(after: 3)))
    }
    let found = try train(model, changes, validation: Self.others, .init(checkpoints: "kept"))
    #expect(bench.log.contains { $0.contains("its `notes` are not those of this training") })
    #expect(try bench.json("\(found)/metrics.json") == bench.json("\(expected)/metrics.json"))
  }
}
