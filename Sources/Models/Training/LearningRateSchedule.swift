// Learning rate over the steps of a training run.

/// Warm-up to the peak over w whole steps, then decay to the last of S steps. Steps are counted from 0, and a warm-up's first step
/// has the rate 0: it moves the moments alone.
///
/// Source: DeepSpeed's `WarmupDecayLR`, at least 2 steps (METHODS 1.11; deepspeedai/DeepSpeed#771), for the logarithmic warm-up and
/// the linear decay; transformers' `get_linear_schedule_with_warmup`, which METHODS 1.11 names without a formula, for the linear
/// one: t / w, not (t + 1) / w; its `get_cosine_schedule_with_warmup`, of half a period, for the cosine, and
/// `get_cosine_with_min_lr_schedule_with_warmup` for the floor. w = ceil(ratio * S), as transformers' `get_warmup_steps` has it.
/// Deviation: the originals hand over a w with a fraction, and log(t + 1) / log(w) then goes beyond 1; no warm-up where the ratio is
/// 0; none where there is one step alone, which would change nothing. Other decays than the cosine have a floor too.
package struct LearningRateSchedule: Sendable {
  package enum WarmUp: String, CaseIterable, Sendable {
    /// peak * t / w
    case linear
    /// peak * log(t + 1) / log(w)
    case logarithmic
  }

  /// From the peak to the floor, which would be reached one step after the last.
  package enum Decay: String, CaseIterable, Sendable {
    /// (S - t) / (S - w)
    case linear
    case constant
    /// (1 + cos(pi * (t - w) / (S - w))) / 2
    case cosine
  }

  /// How many steps warm up.
  package enum WarmUpLength: Sendable {
    /// Of all steps, rounded up to whole ones.
    case share(Double)
    case steps(Int)
  }

  package let peak: Double
  package let steps: Int
  package let warmUpSteps: Int
  package let warmUp: WarmUp
  package let decay: Decay
  /// As a share of the peak.
  package let floor: Double

  package init(
    peak: Double, steps: Int, warmUpLength: WarmUpLength, warmUp: WarmUp, decay: Decay, floor: Double = 0
  ) {
    self.peak = peak
    self.steps = steps
    self.warmUp = warmUp
    self.decay = decay
    self.floor = floor
    let count: Int =
      switch warmUpLength {
      case .share(0), .steps(0): 0
      // 0.07 * 100 is a little more than 7.
      case .share(let share): max(1, Int((share * Double(steps) - 1e-9).rounded(.up)))
      case .steps(let count): count
      }
    warmUpSteps = count == 0 || steps < 2 ? 0 : max(count, warmUp == .logarithmic ? 2 : 1)
  }

  package func rate(at step: Int) -> Double {
    let (t, w) = (Double(step), Double(warmUpSteps))
    if step < warmUpSteps {
      switch warmUp {
      case .linear: return peak * (t / w)
      case .logarithmic: return peak * min(1, naturalLogarithm(t + 1) / naturalLogarithm(w))
      }
    }
    let length = max(1, Double(steps) - w)
    switch decay {
    case .constant: return peak
    case .linear: return peak * (floor + (1 - floor) * max(0, (Double(steps) - t) / length))
    case .cosine:
      let share = (1 + cosine(halfTurns: min(1, (t - w) / length))) / 2
      return peak * (floor + (1 - floor) * share)
    }
  }
}

/// cos(pi * x) of 0 to 1, by sums and products alone, so that it has the same bits on every machine; within 1e-15.
private func cosine(halfTurns x: Double) -> Double {
  if x > 0.5 { return -cosine(halfTurns: 1 - x) }
  let square = -(Double.pi * x) * (Double.pi * x)
  var (sum, term) = (1.0, 1.0)
  for n in 1...14 {
    term *= square / Double((2 * n - 1) * (2 * n))
    sum += term
  }
  return sum
}
