// AdamW: decoupled weight decay, fp32 moments, one fused pass over each tensor.

/// Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (2019).
package struct AdamW: Sendable {
  package var beta1 = 0.9
  package var beta2 = 0.999
  package var epsilon = 1e-8
  package var weightDecay = 0.0

  package init(beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// - Parameter step: 1 for the first.
  func step(_ step: Int, learningRate: Double, gradientScale: Double) -> AdamWStep {
    var power1 = 1.0
    var power2 = 1.0
    for _ in 0..<step {
      power1 *= beta1
      power2 *= beta2
    }
    return AdamWStep(
      learningRate: Float(learningRate), beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon),
      weightDecay: Float(weightDecay), bias1: Float(1 - power1), bias2: Float(1 - power2),
      gradientScale: Float(gradientScale))
  }
}
