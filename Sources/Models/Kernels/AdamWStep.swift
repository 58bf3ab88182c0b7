// The numbers of one AdamW step, as the optimizer's kernel takes them.

/// Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (2019).
package struct AdamWStep: Sendable {
  var learningRate: Float
  var beta1: Float
  var beta2: Float
  var epsilon: Float
  var weightDecay: Float
  /// 1 - beta ^ step
  var bias1: Float
  var bias2: Float
  /// Multiplies gradients; carries the clip.
  var gradientScale: Float
}
