// How a gradient changes parameters.

/// An optimizer: one file in Optimizers/ each.
package protocol Optimizer: Sendable {
  /// Names of what it keeps of each parameter from step to step, zero before the first; files of training checkpoints hold it under them.
  var moments: [String] { get }

  /// Changes a tensor and its moments in place.
  /// - Parameters:
  ///   - moments: in the order of the names, of the tensor's shape.
  func update(
    _ tensor: Tensor, moments: [Tensor], gradient: Tensor, by update: Update, on backend: any Backend)
}

/// One step's numbers, whatever the optimizer.
package struct Update: Sendable {
  /// Of the moments: 1 for the first.
  let step: Int
  let learningRate: Double
  /// Multiplies gradients; carries the clip.
  let gradientScale: Double
  /// Whether the tensor's weights decay where the optimizer has a decay.
  let decays: Bool

  package init(step: Int, learningRate: Double, gradientScale: Double, decays: Bool) {
    self.step = step
    self.learningRate = learningRate
    self.gradientScale = gradientScale
    self.decays = decays
  }
}
