// The memory that a stage takes for a model: the numbers of `inspect`, known before the model is read.

import JSON
import Models
import Runner

/// Bytes in one numeric mode.
struct ModelMemory {
  private let weights: Int
  private let largestTensor: Int
  private let training: Int
  private let parameters: Int

  /// Keys and values, activations and outputs, unless the stage's `engine.memory` says otherwise.
  private static let working = 1 << 29

  /// From the facts of a model; nil where they tell nothing.
  init?(_ facts: JSON, mode: String) {
    guard let need = facts[Fact.memory]?[mode], let parameters = facts[Fact.parameters]?.intValue,
      let weights = need["weights"]?.intValue, let largestTensor = need["largest_tensor"]?.intValue,
      let training = need["training"]?.intValue
    else { return nil }
    (self.weights, self.largestTensor) = (weights, largestTensor)
    (self.training, self.parameters) = (training, parameters)
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
    (self.training, self.parameters) = (training, parameters)
  }

  /// Sampling and scoring.
  var reading: Int { weights &+ largestTensor &+ Self.working }

  /// - Parameter share: of the parameters that train; the others have neither gradients nor moments.
  func training(share: Double) -> Int {
    let frozen = Double(parameters) * 12 * (1 - share)
    return training &- (Int(exactly: frozen.rounded()) ?? 0) &+ Self.working
  }

  static func fact(of configuration: DecoderConfiguration) -> JSON {
    let modes = NumericMode.allCases.map { mode -> JSONObject.Member in
      let need = MemoryNeed(configuration, mode: mode)
      return (
        mode.rawValue,
        [
          "weights": .int(Int64(need.weights)), "largest_tensor": .int(Int64(need.largestTensor)),
          "training": .int(Int64(need.training)),
        ]
      )
    }
    return .object(JSONObject(modes))
  }
}
