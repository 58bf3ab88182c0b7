// Trainings that go on from each other: the same bits as one, the schedule over all of them, and what does not fit together.

import JSON
import Models
import Runner
import Stages
import System
import Testing
import TinyModel

struct TrainStateTests {
  let bench = ModelBench()

  static let adaptive: JSON = [
    "kind": "conditional", "kl": 0.1, "entropy": 0.05, "kl_direction": "reference_policy",
    "reference_conditioning": "strip", "adaptive": ["kl_target": 0.5, "entropy_target": 30.0, "horizon": 8],
  ]

  private static func options(_ changes: [(String, JSON)] = []) -> JSON {
    let usual: JSON = [
      "lr": 0.01, "batch_size": 4, "objective": adaptive, "conditioning": TrainStageTests.tokens(),
      "state": "full", "schedule": ["total_steps": 12], "warmup_steps": 3, "decay": "cosine",
    ]
    var object = usual.objectValue ?? JSONObject()
    for (name, value) in changes { object[name] = value }
    return .object(object)
  }

  /// - Parameter before: the folder of the training that this one goes on from.
  private func train(
    after before: String? = nil, from start: String, _ changes: [(String, JSON)], rows: [Row] = pooledRows(),
    mode: String = "bf16", seed: UInt64 = 1, _ circumstances: ModelBench.Circumstances = .init()
  ) throws -> String {
    try bench.run(
      TrainStage(), Self.options(changes),
      models: ["model": before.map { "\($0)/model" } ?? start, "reference": start],
      files: before.map { ["state": "\($0)/state"] } ?? [:], rows: rows, mode: mode, seed: seed, circumstances
    )
  }

  private func weights(_ output: String) throws -> [UInt8] {
    try File.read("\(output)/model/model.safetensors")
  }

  private func series(_ outputs: [String], _ name: String) throws -> [Double] {
    try outputs.flatMap {
      (try bench.json("\($0)/metrics.json")[name]?.arrayValue ?? []).compactMap(\.doubleValue)
    }
  }

  /// An epoch has 4 steps: the trainings begin and end inside of epochs, each with a seed of its own, as in a loop.
  @Test(
    arguments: ["bf16", "fp32"],
    [
      nil,
      ["kind": "rmsprop", "alpha": 0.9, "epsilon": 1e-6, "weight_decay": 0.1, "no_decay": []] as JSON,
    ])
  func `trainings that go on from each other are one training, bit for bit`(mode: String, optimizer: JSON?)
    throws
  {
    let model = try bench.model()
    let optimizer = ("optimizer", optimizer ?? nil)
    let whole = try train(from: model, [("steps", 12), optimizer], mode: mode)
    var parts: [String] = []
    for (index, steps) in [5, 1, 6].enumerated() {
      parts.append(
        try train(
          after: parts.last, from: model, [("steps", .int(Int64(steps))), optimizer], mode: mode,
          seed: UInt64(1 + index)))
    }
    #expect(try weights(parts[2]) == weights(whole))
    for name in ["loss", "gradient_norm", "lr", "kl_coefficient", "entropy_coefficient"] {
      let (found, expected) = (try series(parts, name), try series([whole], name))
      #expect(found == expected && found.count == 12, "\(name)")
    }
    #expect(Set(try series([whole], "kl_coefficient")).count > 1)
    #expect(try File.read("\(parts[2])/state") == File.read("\(whole)/state"))
    #expect(bench.log.contains("goes on after step 1 of 4 in epoch 2 of the data"))
  }

  @Test func `a training with a state that was stopped goes on to the same bytes`() throws {
    let model = try bench.model()
    let first = try train(from: model, [("steps", 5)])
    let expected = try train(after: first, from: model, [("steps", 7)])
    #expect(throws: CancellationError.self) {
      _ = try train(
        after: first, from: model, [("steps", 7)],
        .init(checkpoints: "kept", reporter: StoppingReporter(after: 3)))
    }
    let found = try train(
      after: first, from: model, [("steps", 7)], .init(threads: 1, engine: ["batch": 1], checkpoints: "kept"))
    #expect(bench.log.contains("continues at step 4 of 7"))
    #expect(try weights(found) == weights(expected))
    #expect(try File.read("\(found)/state") == File.read("\(expected)/state"))
  }

  @Test func `a light state keeps the counts and the place, and its moments begin at zero`() throws {
    let model = try bench.model()
    let first = try train(from: model, [("steps", 6), ("state", "light")])
    #expect(FileStatus.of("\(first)/state").map { $0.size < 2000 } == true)
    let second = try train(after: first, from: model, [("steps", 6)])
    let whole = try train(from: model, [("steps", 12)])
    #expect(try series([first, second], "lr") == series([whole], "lr"))
    #expect(try series([first, second], "loss").prefix(7) == series([whole], "loss").prefix(7))
    #expect(try weights(second) != weights(whole))
    // Its bias corrections begin anew too: as a training without a state, but for schedule, data and coefficients.
    let third = try train(after: first, from: model, [("steps", 1), ("state", "none")])
    #expect(FileStatus.of("\(third)/state") == nil)
  }

  @Test func `without a schedule each training has its own, and moments go on`() throws {
    let model = try bench.model()
    let changes: [(String, JSON)] = [("schedule", nil), ("steps", 5)]
    let first = try train(from: model, changes)
    let second = try train(after: first, from: model, changes)
    #expect(try series([first], "lr") == series([second], "lr"))
    let fresh = try bench.run(
      TrainStage(), Self.options(changes), models: ["model": "\(first)/model", "reference": model],
      rows: pooledRows())
    #expect(try weights(second) != weights(fresh))
  }

  @Test func `other rows, or other batches of them, begin anew`() throws {
    let model = try bench.model()
    let first = try train(from: model, [("steps", 5)])
    let anew = "the data, or their batches, are not those of the training before: their first epoch begins"
    _ = try train(after: first, from: model, [("steps", 1)], rows: pooledRows(4))
    #expect(bench.log.filter { $0 == anew }.count == 1)
    _ = try train(after: first, from: model, [("steps", 1), ("batch_size", 3)])
    #expect(bench.log.filter { $0 == anew }.count == 2)
    // The same rows in another order are the same data.
    let ordered = try train(after: first, from: model, [("steps", 2)])
    let reversed = try train(after: first, from: model, [("steps", 2)], rows: pooledRows().reversed())
    #expect(try weights(ordered) == weights(reversed))
    #expect(bench.log.filter { $0 == anew }.count == 2)
  }

  @Test func `what does not fit together is named before work starts`() throws {
    let model = try bench.model()
    let first = try train(from: model, [("steps", 9)])
    func refusal(_ changes: [(String, JSON)]) -> String {
      inputError { _ = try train(after: first, from: model, changes) }
    }
    #expect(
      refusal([("steps", 4)]).contains(
        "`schedule.total_steps` is 12, of which 9 were taken by earlier trainings, and this one would take 4; write at least 13"
      ))
    #expect(refusal([("epochs", 1)]).contains("and this one would take 4"))
    let frozen = refusal([("steps", 1), ("unfrozen_ratio", 0.5)])
    #expect(
      frozen.contains("`model.layers.0.input_layernorm.weight`")
        && frozen.contains("it trained in the training that made the state, and does not now"), "\(frozen)")
    let embeddings = refusal([("steps", 1), ("train_embeddings", false)])
    #expect(embeddings.contains("tensor `model.embed_tokens.weight`"), "\(embeddings)")
    let partly = try train(from: model, [("steps", 1), ("unfrozen_ratio", 0.5)])
    let all = inputError { _ = try train(after: partly, from: model, [("steps", 1)]) }
    #expect(all.contains("it trains now, and did not in the training that made the state"), "\(all)")
    let other = refusal([
      ("steps", 1),
      (
        "optimizer",
        ["kind": "rmsprop", "alpha": 0.9, "epsilon": 1e-6, "weight_decay": 0.1, "no_decay": []]
      ),
    ])
    #expect(other.contains("holds the moments `first`, `second` of another optimizer"), "\(other)")
    let cut = inputError {
      _ = try bench.run(
        TrainStage(), Self.options([("steps", 1)]), models: ["model": "\(first)/model", "reference": model],
        files: ["state": "\(first)/model/model.safetensors"], rows: pooledRows())
    }
    #expect(cut.contains("it is not the state of a training"), "\(cut)")
  }
}
