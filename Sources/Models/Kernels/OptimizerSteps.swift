// The numbers of one step of an optimizer.

/// Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (2019).
package struct AdamWStep: Sendable {
  package var learningRate: Float
  package var beta1: Float
  package var beta2: Float
  package var epsilon: Float
  /// Decoupled.
  package var weightDecay: Float
  /// Times the parameter, it is added to the gradient.
  package var l2: Float
  /// 1 - beta ^ step
  package var bias1: Float
  package var bias2: Float
  /// Multiplies gradients; carries the clip.
  package var gradientScale: Float
}

/// Source: Tieleman and Hinton, "Lecture 6.5: RMSprop" (2012), as torch.optim.RMSprop has it: not centered, without momentum.
package struct RMSPropStep: Sendable {
  package var learningRate: Float
  package var alpha: Float
  package var epsilon: Float
  /// Times the parameter, it is added to the gradient.
  package var l2: Float
  /// Multiplies gradients; carries the clip.
  package var gradientScale: Float
}
