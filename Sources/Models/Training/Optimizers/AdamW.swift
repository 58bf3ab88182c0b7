// Adam, its weight decay decoupled or in the gradient: fp32 moments, one fused pass over each tensor.

/// Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (2019); torch.optim.AdamW, and torch.optim.Adam for the
/// decay in the gradient.
package struct AdamW: Optimizer {
  package enum Decay: Sendable {
    /// AdamW: p -= lr * decay * p, beside the step.
    case decoupled
    /// Adam with an L2 term: decay * p is added to the gradient after clipping.
    case inGradient
  }

  package var beta1 = 0.9
  package var beta2 = 0.999
  package var epsilon = 1e-8
  package var weightDecay = 0.0
  package var decay = Decay.decoupled

  package init(
    beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, decay: Decay = .decoupled
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.decay = decay
  }

  package var moments: [String] { ["first", "second"] }

  package func update(
    _ tensor: Tensor, moments: [Tensor], gradient: Tensor, by update: Update, on backend: any Backend
  ) {
    var (power1, power2) = (1.0, 1.0)
    for _ in 0..<update.step where power1 != 0 || power2 != 0 {
      power1 *= beta1
      power2 *= beta2
    }
    let decays = update.decays ? Float(weightDecay) : 0
    backend.adamW(
      tensor, moments[0], moments[1], gradient: gradient,
      step: AdamWStep(
        learningRate: Float(update.learningRate), beta1: Float(beta1), beta2: Float(beta2),
        epsilon: Float(epsilon), weightDecay: decay == .decoupled ? decays : 0,
        l2: decay == .inGradient ? decays : 0, bias1: Float(1 - power1), bias2: Float(1 - power2),
        gradientScale: Float(update.gradientScale)))
  }
}
