// The optimizers beside PyTorch's, over six steps: elements alone, and a model's losses and weights.

import JSON
import Models
import Testing

struct OptimizerTests {
  private let cases: JSON
  init() throws { cases = try readJSON("\(Golden.root)/optimizers.json") }

  static let names = ["adamw", "adam", "rmsprop", "rmsprop_decay"]

  private func optimizer(_ item: JSON) throws -> any Optimizer {
    func number(_ key: String) throws -> Double { try #require(item[key]?.doubleValue) }
    if item["optimizer"] == "rmsprop" {
      return RMSProp(
        alpha: try number("alpha"), epsilon: try number("epsilon"), weightDecay: try number("weight_decay"))
    }
    return AdamW(
      beta1: try number("beta1"), beta2: try number("beta2"), epsilon: try number("epsilon"),
      weightDecay: try number("weight_decay"),
      decay: item["optimizer"] == "adamw" ? .decoupled : .inGradient)
  }

  private func floats(_ json: JSON?) -> [Float] {
    (json?.arrayValue ?? []).compactMap(\.doubleValue).map { Float($0) }
  }

  @Test(arguments: names, TestDevice.allCases)
  func `weights go where PyTorch's go`(name: String, device: TestDevice) throws {
    let item = try #require(cases[name])
    let (optimizer, backend) = (try optimizer(item), device.backend(threads: 2))
    let elements = try #require(item["elements"])
    let start = floats(elements["start"])
    func tensor(_ values: [Float]) -> Tensor {
      let tensor = backend.tensor(1, start.count)
      tensor.write(values)
      return tensor
    }
    let zero = [Float](repeating: 0, count: start.count)
    let (weights, moments) = (tensor(start), optimizer.moments.map { _ in tensor(zero) })
    let (gradients, steps) = (elements["gradients"]?.arrayValue ?? [], elements["steps"]?.arrayValue ?? [])
    try #require(gradients.count == 6 && steps.count == 6)
    for step in 0..<6 {
      optimizer.update(
        weights, moments: moments, gradient: tensor(floats(gradients[step])),
        by: Update(
          step: step + 1, learningRate: try #require(item["lr"]?.doubleValue), gradientScale: 1, decays: true),
        on: backend)
      #expect(largestDifference(weights.read(), floats(steps[step])) < 1e-6, "step \(step + 1)")
    }
    #expect(largestDifference(weights.read(), start) > 1e-3)
  }

  @Test(arguments: names)
  func `six steps of a model lose what PyTorch's lose, and move its weights as far`(name: String) throws {
    let (item, golden) = (try #require(cases[name]), try Golden("tied"))
    let (backend, configuration) = (CPUBackend(threads: 2), golden.checkpoint.configuration)
    let parts = (item["no_decay"]?.arrayValue ?? []).compactMap(\.stringValue)
    let start = try Parameters(configuration, from: golden.checkpoint.tensors, on: backend)
    let isCosine = item["schedule"] == "cosine"
    let trainer = Trainer(
      configuration, parameters: try Parameters(configuration, from: golden.checkpoint.tensors, on: backend),
      trainable: configuration.layout.names, objective: SupervisedFineTuning(),
      optimizer: try optimizer(item),
      schedule: LearningRateSchedule(
        peak: try #require(item["lr"]?.doubleValue), steps: 6, warmUpLength: .steps(isCosine ? 2 : 0),
        warmUp: .linear, decay: isCosine ? .cosine : .constant),
      undecayed: Set(
        configuration.layout.names.filter { name in parts.contains { name.utf8.contains($0.utf8) } }),
      maximumGradientNorm: item["clip"]?.doubleValue, mode: .fp32, backend: backend)
    let model = try #require(item["model"])
    let losses = (model["losses"]?.arrayValue ?? []).compactMap(\.doubleValue)
    let norms = (model["norms"]?.arrayValue ?? []).compactMap(\.doubleValue)
    try #require(losses.count == 6 && norms.count == 6)
    for (loss, norm) in zip(losses, norms) {
      let found = try trainer.train(golden.tokenExamples)
      #expect(abs(found.loss - loss) < 1e-4 * loss, "step \(trainer.step): \(found.loss), \(loss)")
      #expect(abs(found.gradientNorm - norm) < 1e-3 * norm, "step \(trainer.step)")
    }
    for name in configuration.layout.names {
      let (before, after) = (start.stored(name), trainer.parameters.stored(name))
      let far = zip(before, after).reduce(0.0) { $0 + Double($1.1 - $1.0) * Double($1.1 - $1.0) }
        .squareRoot()
      let expected = try #require(model["changes"]?[name]?.doubleValue)
      #expect(abs(far - expected) < 1e-3 * expected, "\(name): \(far), \(expected)")
      #expect(
        largestDifference(Array(after.prefix(4)), floats(model["first"]?[name])) < 1e-4, "\(name)")
    }
  }
}
