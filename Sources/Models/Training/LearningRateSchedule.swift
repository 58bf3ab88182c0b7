// Learning rate over the steps of a training run.

/// Warm-up to the peak over w whole steps, then decay to the last of S steps. Steps are counted from 0, and a warm-up's first step
/// has the rate 0: it moves the moments alone.
///
/// Source: DeepSpeed's `WarmupDecayLR`, at least 2 steps (METHODS 1.11; deepspeedai/DeepSpeed#771), for the logarithmic warm-up and
/// the linear decay; transformers' `get_linear_schedule_with_warmup`, which METHODS 1.11 names without a formula, for the linear
/// one: t / w, not (t + 1) / w. w = ceil(ratio * S), as transformers' `get_warmup_steps` has it.
/// Deviation: the originals hand over a w with a fraction, and log(t + 1) / log(w) then goes beyond 1; no warm-up where the ratio is
/// 0; none where there is one step alone, which would change nothing.
package struct LearningRateSchedule: Sendable {
  package enum WarmUp: String, CaseIterable, Sendable {
    /// peak * t / w
    case linear
    /// peak * log(t + 1) / log(w)
    case logarithmic
  }

  package enum Decay: String, CaseIterable, Sendable {
    /// to zero after the last step: peak * (S - t) / (S - w)
    case linear
    case constant
  }

  package let peak: Double
  package let steps: Int
  package let warmUpSteps: Int
  package let warmUp: WarmUp
  package let decay: Decay

  package init(peak: Double, steps: Int, warmUpRatio: Double, warmUp: WarmUp, decay: Decay) {
    self.peak = peak
    self.steps = steps
    self.warmUp = warmUp
    self.decay = decay
    // 0.07 * 100 is a little more than 7.
    let share = Int((warmUpRatio * Double(steps) - 1e-9).rounded(.up))
    warmUpSteps = warmUpRatio == 0 || steps < 2 ? 0 : max(share, warmUp == .logarithmic ? 2 : 1)
  }

  package func rate(at step: Int) -> Double {
    let (t, w) = (Double(step), Double(warmUpSteps))
    if step < warmUpSteps {
      switch warmUp {
      case .linear: return peak * (t / w)
      case .logarithmic: return peak * min(1, naturalLogarithm(t + 1) / naturalLogarithm(w))
      }
    }
    switch decay {
    case .constant: return peak
    case .linear: return peak * max(0, (Double(steps) - t) / max(1, Double(steps) - w))
    }
  }
}
