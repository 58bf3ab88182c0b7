// A loss, gradients or parameters stopped being numbers.

package struct TrainingDiverged: Error, Sendable, CustomStringConvertible {
  /// Counted from 1.
  let step: Int
  let what: What
  enum What {
    case loss
    case gradientNorm
    /// On the examples that are held out, after the step's update.
    case validationLoss
    /// After the step's update.
    case tensor(name: String, count: Int)
  }

  package var description: String {
    let remedy = "lower `lr`, or clip gradients with `max_gradient_norm`"
    switch what {
    case .tensor(let name, let count):
      return
        "\(count) numbers of the tensor `\(name)` are NaN or infinite after step \(step), so that the model is not stored; \(remedy)"
    case .validationLoss:
      return "the loss on the held-out rows is not a finite number after step \(step); \(remedy)"
    case .loss, .gradientNorm:
      let name = if case .loss = what { "loss" } else { "gradient norm" }
      return "the \(name) is not a finite number at step \(step)"
        + (step == 1
          ? ", before any update: the policy or the reference has weights that are too large or NaN"
          : "; \(remedy)")
    }
  }
}
