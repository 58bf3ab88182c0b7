// How a token is chosen from a distribution.

/// Penalties change the logits; then filters apply in the order temperature, top-k, top-p, min-p, typical-p, each to what
/// the one before left.
package struct SamplingParameters: Sendable, Equatable {
  /// 0 is greedy; the lowest id wins a tie.
  package var temperature: Float
  /// 0 keeps all.
  package var topK: Int
  /// 1 keeps all; otherwise the smallest set of most probable tokens whose mass reaches it.
  package var topP: Float
  /// 0 keeps all; otherwise tokens at least this share as probable as the most probable one.
  package var minP: Float
  /// 1 keeps all; otherwise the smallest set of tokens, those first whose surprise lies nearest the entropy, whose mass
  /// reaches it (Meister et al., "Locally Typical Sampling", 2022).
  package var typicalP: Float
  package var penalties: Penalties

  package init(
    temperature: Float, topK: Int = 0, topP: Float = 1, minP: Float = 0, typicalP: Float = 1,
    penalties: Penalties = Penalties()
  ) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.typicalP = typicalP
    self.penalties = penalties
  }

  package static let greedy = SamplingParameters(temperature: 0)
}

/// What makes tokens that have come less likely to come again.
package struct Penalties: Sendable, Equatable {
  /// Divides positive logits of tokens in the prompt or the sample, multiplies negative ones (Keskar et al., "CTRL", 2019).
  package var repetition: Float = 1
  /// Subtracted from the logits of tokens in the sample.
  package var presence: Float = 0
  /// Subtracted once for each time that a token is in the sample.
  package var frequency: Float = 0

  package init(repetition: Float = 1, presence: Float = 0, frequency: Float = 0) {
    self.repetition = repetition
    self.presence = presence
    self.frequency = frequency
  }

  var isNone: Bool { self == Penalties() }
}
