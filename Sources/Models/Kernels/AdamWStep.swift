// The numbers of one step of AdamW.

/// Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (2019).
package struct AdamWStep: Sendable {
  package var learningRate: Float
  package var beta1: Float
  package var beta2: Float
  package var epsilon: Float
  package var weightDecay: Float
  /// 1 - beta ^ step
  package var bias1: Float
  package var bias2: Float
  /// Multiplies gradients; carries the clip.
  package var gradientScale: Float
}
