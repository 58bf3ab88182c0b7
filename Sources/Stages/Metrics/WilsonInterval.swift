// An interval around a share of generations, which stays between 0 and 1.

extension ClusteredMean {
  /// Wilson's score interval of a share, whose values are 0 and 1.
  ///
  /// Where prompts have several values, their number is replaced by the effective one: p (1 - p) divided by the variance of the mean that is clustered by
  /// prompt, at most N; for a share of 0 or 1, which has no variance, the number of prompts.
  ///
  /// Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927; the effective number after Korn and
  /// Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated from survey data", 1998.
  /// - Parameter level: above 0, below 1.
  package func wilsonInterval(level: Double) -> ClosedRange<Double> {
    let z = normalQuantile((1 + level) / 2)
    let n = effectiveCount
    let square = z * z / n
    let center = (mean + square / 2) / (1 + square)
    let reach = z / (1 + square) * (mean * (1 - mean) / n + square / (4 * n)).squareRoot()
    let low = mean == 0 ? 0 : max(0, center - reach)
    return low...(mean == 1 ? 1 : max(low, min(1, center + reach)))
  }

  private var effectiveCount: Double {
    if clusters.count == count { return Double(count) }
    let spread = mean * (1 - mean)
    guard let standardError, spread > 0 else { return Double(clusters.count) }
    // Without the factor for few prompts, so that independent values count in full.
    let prompts = Double(clusters.count)
    let variance = standardError * standardError * (prompts - 1) / prompts
    return variance > 0 ? min(Double(count), spread / variance) : Double(count)
  }
}
