// The median rule: a trial ends early that is worse than half of those before it.

/// A trial is ended after iteration s where its best metric until then is strictly worse than the median, over other trials, of the mean
/// of their metrics of the iterations 1 to s.
///
/// Source: Golovin and others, Google Vizier (2017), section 3.2.
package struct MedianRule: Sendable {
  /// Iterations that every trial has.
  package let leastIterations: Int
  /// Other trials that there must be.
  package let leastTrials: Int

  package init(leastIterations: Int = 1, leastTrials: Int = 5) {
    precondition(
      leastIterations >= 1 && leastTrials >= 1,
      "\(leastIterations) iterations and \(leastTrials) trials; expected at least 1 of each")
    self.leastIterations = leastIterations
    self.leastTrials = leastTrials
  }

  /// Whether a trial with these metrics, one for each iteration so far, is ended. `others`: the metrics of trials that were finished, which
  /// for trial k are chosen among those up to k - lag, so that the decision does not depend on what came first. A metric that is not
  /// finite is worse than any other.
  package func ends(_ metrics: [Double], others: [[Double]], _ goal: Goal) -> Bool {
    let iterations = metrics.count
    func losses(_ metrics: [Double]) -> [Double] {
      metrics.map { $0.isFinite ? (goal == .minimize ? $0 : -$0) : .infinity }
    }
    let compared = others.filter { $0.count >= iterations }
    guard iterations >= leastIterations, compared.count >= leastTrials, let best = losses(metrics).min()
    else {
      return false
    }
    let means = compared.map { metrics -> Double in
      var sum = 0.0
      for loss in losses(metrics).prefix(iterations) { sum += loss / Double(iterations) }
      return sum
    }.sorted()
    let middle = means.count / 2
    let median = means.count % 2 == 1 ? means[middle] : means[middle - 1] / 2 + means[middle] / 2
    return best > median
  }
}
