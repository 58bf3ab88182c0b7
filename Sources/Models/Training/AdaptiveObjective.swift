// Objectives whose coefficients follow what their terms measure.

/// An objective with coefficients that change from step to step; the trainer keeps them, and shows each under its name in the series.
package protocol AdaptiveObjective: Objective {
  /// One for each coefficient; empty where none changes.
  var controllers: [CoefficientController] { get }
  /// - Parameter coefficients: in the order of the controllers.
  func with(coefficients: [Double]) -> any Objective
}

/// Moves a coefficient so that a term approaches a target: v *= 1 + sign * clip(current / target - 1, -0.2, 0.2) * examples / horizon.
/// Source: Ziegler et al., "Fine-tuning language models from human preferences" (2019), 2.2; METHODS 1.14, which moves the KL's up
/// and the entropy's down where they are above their targets.
/// Deviation: `current` is the objective's own term, summed over the targets of each example; the originals measure KL(policy ||
/// reference) and -log p whatever they minimise.
package struct CoefficientController: Sendable {
  /// In series and states.
  package let name: String
  /// Before the first step.
  package let initial: Double
  /// Its place among the objective's terms.
  package let term: Int
  /// In nats, of a whole example.
  package let target: Double
  /// In examples.
  package let horizon: Double
  package let rises: Bool

  package init(
    _ name: String, initial: Double, term: Int, target: Double, horizon: Double, rises: Bool
  ) {
    self.name = name
    self.initial = initial
    self.term = term
    self.target = target
    self.horizon = horizon
    self.rises = rises
  }

  /// - Parameters:
  ///   - current: the mean over the batch's examples.
  ///   - examples: of the batch.
  package func next(after value: Double, current: Double, examples: Int) -> Double {
    let error = min(max(current / target - 1, -0.2), 0.2)
    return value * (1 + (rises ? error : -error) * Double(examples) / horizon)
  }
}
