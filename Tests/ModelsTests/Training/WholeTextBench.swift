// Tiny trainings of reward models and classifiers: the decoders of the goldens with a head, and pairs and labelled texts for them.

import JSON
import Models
import TestFolder
import Testing

struct WholeTextBench {
  /// What is trained, with the head that reads it.
  enum Task: String, CaseIterable, Sendable {
    case diverging, last, labels3

    var head: String { self == .labels3 ? "labels3" : "value" }
    var objective: any Objective { self == .labels3 ? Classification() : PairwiseObjective() }
  }

  static let decoders = ["tied", "gpt2", "gptj", "gpt-neox"]

  let task: Task
  var mode = NumericMode.fp32
  var tokenBudget = 1024
  var memory = 512 << 20
  var gradientLeaves = 1
  var backend: any Backend = CPUBackend(threads: 1)
  /// Of the decoder with its head.
  private let checkpoint: Checkpoint
  var configuration: DecoderConfiguration { checkpoint.configuration }
  var tensors: any TensorSource { checkpoint.tensors }

  init(_ task: Task, _ decoder: String = "tied", in folder: TemporaryFolder) throws {
    self.task = task
    checkpoint = try openCheckpoint(try GoldenHead(decoder, task.head, in: folder).path)
  }

  /// Fixtures/goldens/make_objectives.py
  static func golden() throws -> JSON { try readJSON("\(Golden.root)/objectives.json") }

  private static func ids(_ json: JSON?) -> [Int32] {
    (json?.arrayValue ?? []).compactMap(\.intValue).map { Int32($0) }
  }

  static func pairs() throws -> [PreferencePair] {
    let golden = try golden()
    let pad = Int32(try #require(golden["pad"]?.intValue))
    return (golden["pairs"]?.arrayValue ?? []).map {
      PreferencePair(chosenText: ids($0["chosen"]), rejectedText: ids($0["rejected"]), pad: pad)
    }
  }

  static func examples(_ task: Task) throws -> [TrainingExample] {
    guard task == .labels3 else {
      let positions = try #require(PreferencePair.Positions(rawValue: task.rawValue))
      return try pairs().enumerated().map { index, pair in
        TrainingExample(id: "pair\(index)", texts: try #require(pair.texts(at: positions)))
      }
    }
    return (try golden()["texts"]?.arrayValue ?? []).enumerated().map { index, text in
      let tokens = ids(text["tokens"])
      let target = TargetSequence(
        tokens: tokens, rows: [tokens.count - 1], labels: [Int32(text["label"]?.intValue ?? 0)])
      return TrainingExample(id: "text\(index)", texts: [target])
    }
  }

  func trainer(_ prepare: (Parameters) -> Void = { _ in }) throws -> Trainer {
    let parameters = try Parameters(configuration, from: checkpoint.tensors, on: backend)
    prepare(parameters)
    return Trainer(
      configuration, parameters: parameters, trainable: configuration.layout.names,
      objective: task.objective,
      optimizer: AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01),
      schedule: LearningRateSchedule(
        peak: 1e-3, steps: 10, warmUpLength: .share(0), warmUp: .linear, decay: .constant),
      maximumGradientNorm: nil, gradientLeaves: gradientLeaves, mode: mode, backend: backend,
      tokenBudget: tokenBudget, memory: memory)
  }
}
