// Tiny training runs, and their parameters as bits.

import Glibc
import JSON
import Models
import Testing

struct TrainingBench {
  var backend: any Backend = CPUBackend(threads: 1)
  var model = "tied"
  var mode = NumericMode.bf16
  var tokenBudget = 1024
  var memory = 512 << 20
  var gradientLeaves = 1
  var objective: any Objective = ConditionalObjective(kl: 0.3, entropy: 0.2)
  var maximumGradientNorm: Double? = 0.5
  /// Blocks that train, counted from the last; nil trains everything.
  var trainableBlocks: Int?
  var trainsEmbeddings = true
  var optimizer: any Optimizer = AdamW(beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01)
  var groups: [ParameterGroup] = []
  var peak = 2e-2
  var warmUpRatio = 0.25
  /// What the model's file says, or something else.
  var configure: @Sendable (inout DecoderConfiguration) -> Void = { _ in }

  /// What holds of every training is tested with each of these.
  static let objectives: [any Objective] = [
    ConditionalObjective(kl: 0.3, entropy: 0.2),
    ConditionalObjective(kl: 0.3, entropy: 0.2, klDirection: .policyReference), SupervisedFineTuning(),
    adaptive,
  ]

  static let adaptive = ConditionalObjective(
    kl: 0.3, entropy: 0.2,
    adaptation: ConditionalObjective.Adaptation(klTarget: 50, entropyTarget: 40, horizon: 4))

  /// Outputs around the sizes where reduction blocks begin: 278 target tokens in all.
  static let examples: [TrainingExample] = [1, 7, 31, 32, 33, 70, 64, 5, 35].enumerated().map {
    index, length in
    let seed = UInt64(200 + 10 * index)
    let prompt = Tiny.tokens([1, 4, 40, 31, 17, 50, 3, 60, 2][index], seed: seed)
    return TrainingExample(
      id: "row\(index)", context: (index % 3 == 0 ? [] : [Int32(91 + index % 5)]) + prompt,
      unconditioned: prompt,
      output: Tiny.tokens(length, seed: seed + 1))
  }

  /// One of which only parts are predicted, as of a conversation: one, some and more than a reduction block.
  static let masked = TrainingExample(
    id: "masked", context: Tiny.tokens(3, seed: 300), unconditioned: Tiny.tokens(2, seed: 301),
    output: Tiny.tokens(80, seed: 302), targets: [1..<2, 5..<12, 20..<60, 79..<80])

  /// Batches of three in a fixed order, over and over.
  static func batch(_ step: Int) -> [TrainingExample] {
    (0..<3).map { examples[(3 * step + $0) % examples.count] }
  }

  func trainer(_ prepare: (Parameters) -> Void = { _ in }) throws -> Trainer {
    let checkpoint = try openCheckpoint("\(Golden.root)/\(model)")
    var configuration = checkpoint.configuration
    configure(&configuration)
    let parameters = try Parameters(configuration, from: checkpoint.tensors, on: backend)
    prepare(parameters)
    let names = trainableBlocks.map {
      configuration.layout.trainableNames(blocks: $0, embeddings: trainsEmbeddings)
    }
    return Trainer(
      configuration, parameters: parameters, trainable: names ?? configuration.layout.names,
      objective: objective,
      // The reference that reads the conditioning is one that has its tokens.
      reference: try objective.reference.map {
        ReferenceModel(try Tiny.decoder($0.conditioned ? "untied" : "reference", mode: mode, on: backend))
      },
      optimizer: optimizer,
      schedule: LearningRateSchedule(
        peak: peak, steps: 8, warmUpLength: .share(warmUpRatio), warmUp: .linear, decay: .linear),
      groups: groups, maximumGradientNorm: maximumGradientNorm, gradientLeaves: gradientLeaves, mode: mode,
      backend: backend,
      tokenBudget: tokenBudget, memory: memory)
  }

  /// Trains up to a step; the losses as bits.
  @discardableResult
  static func train(_ trainer: Trainer, to step: Int) throws -> [UInt64] {
    var losses: [UInt64] = []
    while trainer.step < step { losses.append(try trainer.train(batch(trainer.step)).loss.bitPattern) }
    return losses
  }
}

func bits(_ parameters: Parameters) -> [[UInt32]] {
  parameters.names.map { parameters[$0].read().map(\.bitPattern) }
}

/// Names of the tensors that differ.
func differences(_ a: Parameters, _ b: Parameters) -> [String] {
  a.names.filter { a[$0].read().map(\.bitPattern) != b[$0].read().map(\.bitPattern) }
}
