// Learning rate over the steps of a training run.

/// Warm-up to the peak, then decay. Steps are counted from 0.
/// Source: DeepSpeed's WarmupDecayLR for the logarithmic warm-up and the linear decay.
package struct LearningRateSchedule: Sendable {
  package enum WarmUp: String, Sendable {
    /// peak * (t + 1) / (w + 1)
    case linear
    /// peak * log(t + 1) / log(w)
    case logarithmic
  }

  package enum Decay: String, Sendable {
    case constant
    /// to zero at the last step: peak * (S - t) / (S - w)
    case linear
  }

  package let peak: Double
  package let steps: Int
  package let warmUpSteps: Double
  package let warmUp: WarmUp
  package let decay: Decay

  package init(peak: Double, steps: Int, warmUpRatio: Double, warmUp: WarmUp, decay: Decay) {
    self.peak = peak
    self.steps = steps
    warmUpSteps = warmUpRatio * Double(steps)
    self.warmUp = warmUp
    self.decay = decay
  }

  package func rate(at step: Int) -> Double {
    let t = Double(step)
    if t < warmUpSteps {
      switch warmUp {
      case .linear: return peak * (t + 1) / (warmUpSteps + 1)
      case .logarithmic:
        return warmUpSteps > 1 ? peak * naturalLogarithm(t + 1) / naturalLogarithm(warmUpSteps) : 0
      }
    }
    switch decay {
    case .constant: return peak
    case .linear: return peak * max(0, (Double(steps) - t) / max(1, Double(steps) - warmUpSteps))
    }
  }
}
