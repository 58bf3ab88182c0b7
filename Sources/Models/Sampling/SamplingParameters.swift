// How a token is chosen from a distribution.

/// Filters apply in the order temperature, top-k, top-p, min-p.
package struct SamplingParameters: Sendable, Equatable {
  /// 0 is greedy; the lowest id wins a tie.
  package var temperature: Float
  /// 0 keeps all.
  package var topK: Int
  /// 1 keeps all; otherwise the smallest set of most probable tokens whose mass reaches it.
  package var topP: Float
  /// 0 keeps all; otherwise tokens at least this share as probable as the most probable one.
  package var minP: Float

  package init(temperature: Float, topK: Int = 0, topP: Float = 1, minP: Float = 0) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
  }

  package static let greedy = SamplingParameters(temperature: 0)
}
