// RMSprop: one fp32 moment, one fused pass over each tensor.

/// v = alpha * v + (1 - alpha) * g * g, p -= lr * g / (sqrt(v) + epsilon).
/// Source: Tieleman and Hinton, "Lecture 6.5: RMSprop" (2012); torch.optim.RMSprop without momentum and not centered, whose weight
/// decay is an L2 term in the gradient.
package struct RMSProp: Optimizer {
  package var alpha: Double
  package var epsilon: Double
  package var weightDecay: Double

  package init(alpha: Double, epsilon: Double, weightDecay: Double) {
    self.alpha = alpha
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  package var moments: [String] { ["second"] }

  package func update(
    _ tensor: Tensor, moments: [Tensor], gradient: Tensor, by update: Update, on backend: any Backend
  ) {
    backend.rmsProp(
      tensor, moments[0], gradient: gradient,
      step: RMSPropStep(
        learningRate: Float(update.learningRate), alpha: Float(alpha), epsilon: Float(epsilon),
        l2: update.decays ? Float(weightDecay) : 0, gradientScale: Float(update.gradientScale)))
  }
}
