// A model's results that are no numbers.

/// A forward pass gave NaN or infinity: weights are, or so large that a sum overflows.
package struct LogitsNotFinite: Error, Sendable, CustomStringConvertible {
  /// Of the request, item or text.
  package let index: Int
  /// Where in it, such as `sample 0, token 3`; empty where the index says all.
  package let place: String

  init(index: Int, place: String = "") {
    self.index = index
    self.place = place
  }

  package var description: String {
    "the model's logits are not finite for item \(index)\(place.isEmpty ? "" : ", \(place)")"
  }
}
