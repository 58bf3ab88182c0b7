// The conditional objective's gradient against central differences of its loss.

import Models
import Testing

/// In fp32 the loss carries about 1e-7 of noise; steps are chosen so that the difference is some 1e-3.
struct ObjectiveTests {
  static let batch = Array(TrainingBench.examples[0..<5])

  static let benches: [TrainingBench] = [
    (0, 0, .referencePolicy, false), (0.7, 0, .referencePolicy, false), (0.7, 0, .policyReference, false),
    (0.7, 0.4, .policyReference, true), (0, 0.9, .referencePolicy, false),
  ].map { (kl: Double, entropy: Double, direction: ConditionalObjective.KLDirection, conditioned: Bool) in
    TrainingBench(
      mode: .fp32, objective: ConditionalObjective(kl: kl, entropy: entropy, klDirection: direction),
      referenceConditioned: conditioned)
  }

  /// The slope of the loss along a direction, by central differences.
  private func slope(_ bench: TrainingBench, _ direction: [String: [Float]], size: Float) throws -> Double {
    func loss(_ factor: Float) throws -> Double {
      try bench.trainer { parameters in
        for (name, values) in direction {
          for (index, value) in values.enumerated() { parameters[name].elements[index] += factor * value }
        }
      }.gradient(Self.batch).loss
    }
    return (try loss(size) - loss(-size)) / Double(2 * size)
  }

  @Test(arguments: 0..<benches.count)
  func `the gradient is the slope along random directions`(index: Int) throws {
    let bench = Self.benches[index]
    let (_, gradients) = try bench.trainer().gradient(Self.batch)
    for seed in 0..<4 as Range<UInt64> {
      let random = Philox(seed: seed)
      var direction: [String: [Float]] = [:]
      var expected = 0.0
      var squares = 0.0
      for (row, name) in gradients.names.enumerated() {
        let values = gradients[name].elements.indices.map {
          random.uniform(row: UInt64(row), sample: 0, position: $0) < 0.5 ? Float(-1) : 1
        }
        direction[name] = values
        for (value, gradient) in zip(values, gradients[name].elements) {
          expected += Double(value * gradient)
          squares += Double(gradient * gradient)
        }
      }
      // The slope along random signs is of the size of the gradient's norm.
      let found = try slope(bench, direction, size: 1.5e-4)
      #expect(abs(found - expected) < 5e-3 * squares.squareRoot(), "\(found), expected \(expected)")
    }
  }

  /// Windows and caps, and every activation.
  @Test(
    arguments: [
      ("tied", nil, nil, .silu), ("untied", nil, nil, .geluTanh), ("untied", nil, 2, .gelu),
      ("tied", 11, 1.5, .silu), ("mistral", 11, nil, .silu),
    ] as [(String, Int?, Double?, Activation)])
  func `the gradient of every tensor is the slope along itself`(
    model: String, window: Int?, softCap: Double?, activation: Activation
  ) throws {
    var bench = Self.benches[3]
    bench.model = model
    bench.configure = {
      $0.slidingWindow = window
      $0.attentionSoftCap = softCap
      $0.activation = activation
    }
    let (_, gradients) = try bench.trainer().gradient(Self.batch)
    for name in gradients.names {
      let gradient = gradients[name].array()
      let norm = gradient.reduce(0.0) { $0 + Double($1 * $1) }.squareRoot()
      try #require(norm > 0)
      let found = try slope(
        bench, [name: gradient.map { $0 / Float(norm) }], size: Float(min(0.02, 2e-3 / norm)))
      #expect(abs(found - norm) < 5e-3 * norm, "\(name): \(found), expected \(norm)")
    }
  }
}
