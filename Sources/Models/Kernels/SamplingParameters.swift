// How a token is chosen from a distribution.

/// Penalties change the logits; then come the temperature and the filters in their order, each on what the one before left.
package struct SamplingParameters: Sendable, Equatable {
  /// 0 is greedy; the lowest id wins a tie.
  package var temperature: Float
  package var filters: [FilterSetting]
  package var penalties: Penalties

  package init(temperature: Float, filters: [FilterSetting] = [], penalties: Penalties = Penalties()) {
    self.temperature = temperature
    self.filters = filters
    self.penalties = penalties
  }

  package static let greedy = SamplingParameters(temperature: 0)
}

/// A filter of logits, by the name under which a backend has its kernel, at a value.
package struct FilterSetting: Sendable, Equatable {
  package let filter: String
  package let value: Float

  package init(filter: String, value: Float) {
    self.filter = filter
    self.value = value
  }
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
