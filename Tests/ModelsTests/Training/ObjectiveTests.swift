// Each objective's gradient against central differences of its loss.

import Models
import Testing

/// In fp32 the loss carries about 1e-7 of noise; steps are chosen so that the difference is some 1e-3.
struct ObjectiveTests {
  static let batch = Array(TrainingBench.examples[0..<5]) + [TrainingBench.masked]

  static let objectives: [any Objective] = [
    ConditionalObjective(kl: 0, entropy: 0), ConditionalObjective(kl: 0.7, entropy: 0),
    ConditionalObjective(kl: 0.7, entropy: 0, klDirection: .policyReference),
    ConditionalObjective(kl: 0.7, entropy: 0.4, klDirection: .policyReference, referenceConditioned: true),
    ConditionalObjective(kl: 0, entropy: 0.9), SupervisedFineTuning(),
  ]

  static let benches = objectives.map { TrainingBench(mode: .fp32, objective: $0) }

  /// The slope of the loss along a direction, by central differences.
  private func slope(_ bench: TrainingBench, _ direction: [String: [Float]], size: Float) throws -> Double {
    func loss(_ factor: Float) throws -> Double {
      try bench.trainer { parameters in
        for (name, values) in direction {
          parameters[name].write(zip(parameters[name].read(), values).map { $0 + factor * $1 })
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
        let values = (0..<gradients[name].count).map {
          random.uniform(row: UInt64(row), sample: 0, position: $0) < 0.5 ? Float(-1) : 1
        }
        direction[name] = values
        for (value, gradient) in zip(values, gradients[name].read()) {
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
      let gradient = gradients[name].read()
      let norm = gradient.reduce(0.0) { $0 + Double($1 * $1) }.squareRoot()
      try #require(norm > 0)
      let found = try slope(
        bench, [name: gradient.map { $0 / Float(norm) }], size: Float(min(0.02, 2e-3 / norm)))
      #expect(abs(found - norm) < 5e-3 * norm, "\(name): \(found), expected \(norm)")
    }
  }

  @Test func `what lies between the targets is read and not predicted`() throws {
    let trainer = try TrainingBench(mode: .fp32, objective: SupervisedFineTuning()).trainer()
    let masked = TrainingBench.masked
    /// The sum over a part of the output, all before it as the context.
    func sum(_ part: Range<Int>) -> Double {
      let example = TrainingExample(
        id: "part", context: masked.context + masked.output[..<part.lowerBound], unconditioned: [],
        output: Array(masked.output[part]))
      return trainer.gradient([example], targetCount: 1).loss
    }
    let expected = masked.targets.map(sum).reduce(0, +)
    let found = trainer.gradient([masked], targetCount: 1).loss
    #expect(abs(found - expected) < 1e-4 * expected, "\(found), expected \(expected)")
    #expect(masked.targetCount == 49)
    #expect(abs(trainer.gradient([masked]).loss - found / 49) < 1e-6 * found)
  }

  @Test func `fine-tuning is the conditional objective with neither KL nor entropy, bit for bit`() throws {
    for mode in NumericMode.withGradients {
      let (tuned, conditional) = try (
        TrainingBench(mode: mode, objective: SupervisedFineTuning()).trainer().gradient(Self.batch),
        TrainingBench(mode: mode, objective: ConditionalObjective(kl: 0, entropy: 0)).trainer()
          .gradient(Self.batch)
      )
      #expect(tuned.loss.bitPattern == conditional.loss.bitPattern)
      #expect(differences(tuned.gradients, conditional.gradients) == [])
    }
  }
}
