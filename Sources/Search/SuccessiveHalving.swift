// Successive halving: trials are compared after some iterations, and only the best go on to the next comparison.

/// Trials come in cohorts of consecutive numbers, which are decided together: after each rung all trials of the cohort are compared that
/// arrived there, and one in `factor` goes on. So the decision follows from their metrics, not from which came first.
///
/// An outcome of a trial is known when its cohort is decided. So with TPE the lag must be at least the cohort's size, else a trial would wait
/// for one of its own cohort. The last cohort may have fewer trials than the others; when trials are added, it is decided anew.
///
/// Source: Karnin, Koren and Somekh (2013); Jamieson and Talwalkar, Non-stochastic best arm identification (2016).
package struct SuccessiveHalving: Sendable {
  /// Iterations before the first rung.
  package let least: Int
  package let factor: Int
  /// Trials that are compared with each other.
  package let cohortSize: Int

  package init(least: Int = 1, factor: Int = 3, cohortSize: Int) {
    precondition(
      least >= 1 && factor >= 2 && cohortSize >= 1,
      "least \(least), factor \(factor), cohort \(cohortSize); expected at least 1, 2 and 1")
    self.least = least
    self.factor = factor
    self.cohortSize = cohortSize
  }

  /// Iterations after which trials are compared: least, least * factor, and so on, below the number that a whole trial has.
  package func rungs(of iterations: Int) -> [Int] {
    var rungs: [Int] = []
    var rung = least
    while rung < iterations {
      rungs.append(rung)
      let (next, overflow) = rung.multipliedReportingOverflow(by: factor)
      guard !overflow else { break }
      rung = next
    }
    return rungs
  }

  /// The numbers of the trials that are decided together with this one, of so many in all.
  package func cohort(of trial: Int, among trials: Int) -> Range<Int> {
    precondition(trial >= 0 && trial < trials, "trial \(trial) of \(trials)")
    let first = trial - trial % cohortSize
    return first..<(trials - first > cohortSize ? first + cohortSize : trials)
  }

  /// The trials that go on, in the order of their numbers: of n trials that were to arrive at the rung the best max(1, ⌊n / factor⌋). Of equal
  /// ones those with lower numbers go on; failed ones never do.
  ///
  /// `outcomes`: of all trials of one cohort that went on from the rung before; a metric at this rung is `value`.
  package func goingOn(_ outcomes: [(trial: Int, outcome: Outcome)], _ goal: Goal) -> [Int] {
    let sorted = outcomes.sorted { $0.trial < $1.trial }
    let ranks = sorted.map { Rank($0.outcome, goal) }
    let places = Rank.order(ranks).prefix(max(1, sorted.count / factor)).filter { !ranks[$0].isFailed }
    return places.sorted().map { sorted[$0].trial }
  }
}
