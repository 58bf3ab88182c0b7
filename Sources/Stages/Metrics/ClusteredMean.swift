// A mean over generations, with its standard error: the generations of one prompt are not independent of each other.

/// The mean over all values, each with the same weight, and a standard error that is clustered by prompt.
///
/// With G prompts that have values, N values x_gi and their mean m: se² = G / (G - 1) · Σ_g (Σ_i (x_gi - m))² / N². With one value a prompt it
/// is the usual s / √N.
///
/// Source: Liang and Zeger, "Longitudinal data analysis using generalized linear models", Biometrika 1986, for a mean; the factor
/// G / (G - 1) of Cameron and Miller, "A practitioner's guide to cluster-robust inference", 2015, section II.C. Advised for evaluations of language models
/// by Miller, "Adding error bars to evals", 2024, section 2.2.
package struct ClusteredMean: Sendable {
  /// Of each prompt that has a value: the sum of its values divided by `scale`, and how many.
  let clusters: [(sum: Double, count: Int)]
  /// A power of two: divided by it no sum or square overflows or vanishes, and no digit changes.
  let scale: Double
  /// Of all values.
  package let count: Int
  package let mean: Double
  /// Nil where fewer than two prompts have a value.
  package let standardError: Double?

  /// - Parameter values: of each prompt, in order; finite.
  /// - Returns: nil where there is no value.
  package init?(_ values: [[Double]]) {
    let values = values.filter { !$0.isEmpty }
    guard !values.isEmpty else { return nil }
    let largest = values.joined().reduce(0) { max($0, $1.magnitude) }
    let scale = largest.isNormal ? largest.binade : 1
    let count = values.reduce(0) { $0 + $1.count }
    let mean = values.joined().reduce(0) { $0 + $1 / scale } / Double(count)
    self.scale = scale
    self.count = count
    self.mean = mean * scale
    clusters = values.map { values in (values.reduce(0) { $0 + $1 / scale }, values.count) }
    guard values.count > 1 else {
      standardError = nil
      return
    }
    let squares = values.reduce(0) { sum, values in
      let residual = values.reduce(0) { $0 + ($1 / scale - mean) }
      return sum + residual * residual
    }
    let prompts = Double(values.count)
    standardError = (prompts / (prompts - 1) * squares).squareRoot() / Double(count) * scale
  }
}
