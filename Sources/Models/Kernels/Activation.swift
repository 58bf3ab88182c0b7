// The activations of feed-forward networks.

/// What a feed-forward network bends its input with, by the name that transformers gives it.
package enum Activation: String, Sendable, CaseIterable {
  /// x sigmoid(x)
  case silu
  /// x times the normal distribution up to x
  case gelu
  /// The same by tanh's approximation.
  case geluTanh = "gelu_pytorch_tanh"
}
