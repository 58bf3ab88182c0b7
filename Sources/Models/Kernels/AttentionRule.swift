// How a query weighs the keys it sees.

package struct AttentionRule: Sendable, Equatable {
  package static let largestHeadDimension = 512

  package let headDimension: Int
  /// A query sees itself and the `window - 1` tokens before it; nil: all of them.
  package let window: Int?
  /// Bounds a score: cap * tanh(score / cap). Source: Gemma 2, section 2.
  package let softCap: Double?

  package init(headDimension: Int, window: Int? = nil, softCap: Double? = nil) {
    self.headDimension = headDimension
    self.window = window
    self.softCap = softCap
  }
}
