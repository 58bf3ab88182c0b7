// How a query weighs the keys it sees.

package struct AttentionRule: Sendable, Equatable {
  package static let largestHeadDimension = 512

  package let headDimension: Int
  /// A query sees itself and the `window - 1` tokens before it; nil: all of them.
  package let window: Int?
  /// Bounds a score: cap * tanh(score / cap). Source: Gemma 2, section 2.
  package let softCap: Double?
  /// Of the product of query and key.
  package let scale: Float
  /// Whether rotary positions turn elements 2i and 2i + 1, and not i and one of the second half.
  package let turnsNeighbours: Bool

  /// - Parameter scale: nil for 1 / sqrt(head dimension).
  package init(
    headDimension: Int, window: Int? = nil, softCap: Double? = nil, scale: Float? = nil,
    turnsNeighbours: Bool = false
  ) {
    self.headDimension = headDimension
    self.window = window
    self.softCap = softCap
    self.scale = scale ?? 1 / Float(headDimension).squareRoot()
    self.turnsNeighbours = turnsNeighbours
  }
}
