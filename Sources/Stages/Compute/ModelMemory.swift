// The memory that a stage takes for a model: the numbers of `inspect`, known before the model is read.

import Experiments
import JSON
import Models

/// Bytes in one numeric mode.
struct ModelMemory {
  private let weights: Int
  private let largestTensor: Int
  private let training: Int
  /// What a parameter that trains has beside its master, for all of them: a gradient and two moments.
  private let trained: Int

  /// The fact of a model that holds these, by mode.
  static let fact = "memory"
  /// Keys and values, activations and outputs, unless the stage's `engine.memory` says otherwise.
  private static let working = 1 << 29

  /// From the facts of a model; nil where they tell nothing.
  init?(_ facts: JSON, mode: String) {
    guard let need = facts[Self.fact]?[mode], let weights = need["weights"]?.intValue,
      let largestTensor = need["largest_tensor"]?.intValue, let training = need["training"]?.intValue,
      let trained = need["trained"]?.intValue
    else { return nil }
    (self.weights, self.largestTensor) = (weights, largestTensor)
    (self.training, self.trained) = (training, trained)
  }

  /// Of a model whose header is not here its parameters tell about as much.
  init?(_ model: ArtifactSize, _ mode: String) {
    if let known = ModelMemory(model.facts, mode: mode) {
      self = known
      return
    }
    guard let parameters = model.items, let mode = NumericMode(rawValue: mode) else { return nil }
    let (training, overflow) = parameters.multipliedReportingOverflow(by: 16 + mode.weightType.byteCount)
    guard !overflow else { return nil }
    (weights, largestTensor) = (parameters * mode.weightType.byteCount, 0)
    (self.training, trained) = (training, parameters * 12)
  }

  /// Sampling and scoring.
  var reading: Int { weights &+ largestTensor &+ Self.working }

  /// - Parameter share: of the parameters that train.
  func training(share: Double) -> Int {
    training &- (Int(exactly: (Double(trained) * (1 - share)).rounded()) ?? 0) &+ Self.working
  }

  /// In the modes that the model can be computed in.
  static func value(of checkpoint: Checkpoint) -> JSON {
    let configuration = checkpoint.configuration
    let layout = configuration.layout
    let parameters = configuration.parameterCount
    let possible = NumericMode.allCases.filter { checkpoint.refusal(of: $0) == nil }
    let modes = possible.map { mode -> JSONObject.Member in
      let need = MemoryNeed(configuration, layout, mode: mode, format: checkpoint.blockFormat)
      return (
        mode.rawValue,
        [
          "weights": .int(Int64(need.weights)), "largest_tensor": .int(Int64(need.largestTensor)),
          "training": .int(Int64(need.training)), "trained": .int(Int64(12 * parameters)),
        ]
      )
    }
    return .object(JSONObject(modes))
  }
}
