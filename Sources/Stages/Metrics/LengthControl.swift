// A win rate at equal length: what a judge would prefer if both texts were as long.

import Models

/// A logistic regression of the outcomes on a constant and the length difference: logit p = θ + φ tanh(d / s), with s the standard deviation of
/// the differences d; the rate is the mean of p at d = 0, which is 1 / (1 + exp(-θ)).
///
/// Source: Dubois et al., "Length-controlled AlpacaEval", 2024, equation 2 with d = 0. Deviation: without its term for the difficulty of each
/// instruction, which needs the outcomes of many models; a penalty of φ² / 200 keeps φ finite.
package enum LengthControl {
  /// - Parameter outcomes: from 0 to 1.
  /// - Returns: nil where nothing can be fitted: no outcomes, or all of them 0, or all 1.
  package static func rate(_ outcomes: [Double], lengthDifferences: [Double]) -> Double? {
    precondition(outcomes.count == lengthDifferences.count, "\(outcomes.count), \(lengthDifferences.count)")
    // Without outcomes the mean is NaN.
    let mean = outcomes.reduce(0, +) / Double(outcomes.count)
    guard mean > 0, mean < 1 else { return nil }
    let features = features(lengthDifferences)
    var (theta, phi) = (0.0, 0.0)
    // Newton's method; the loss is strictly convex but for a constant feature of zeros, where φ stays 0.
    for _ in 0..<100 {
      var gradient = (0.0, phi * penalty)
      var hessian = (a: 0.0, b: 0.0, c: penalty)
      for (outcome, x) in zip(outcomes, features) {
        let p = sigmoid(theta + phi * x)
        let weight = p * (1 - p)
        gradient.0 += p - outcome
        gradient.1 += (p - outcome) * x
        hessian.a += weight
        hessian.b += weight * x
        hessian.c += weight * x * x
      }
      let determinant = hessian.a * hessian.c - hessian.b * hessian.b
      guard determinant > 0 else { return nil }
      let step = (
        (hessian.c * gradient.0 - hessian.b * gradient.1) / determinant,
        (hessian.a * gradient.1 - hessian.b * gradient.0) / determinant
      )
      // A step of more than 2 may overshoot where p is near 0 or 1.
      let scale = min(1, 2 / max(step.0.magnitude, step.1.magnitude, 1e-300))
      theta -= scale * step.0
      phi -= scale * step.1
      if max(step.0.magnitude, step.1.magnitude) < 1e-9 { break }
    }
    return sigmoid(theta)
  }

  private static let penalty = 0.01

  private static func features(_ differences: [Double]) -> [Double] {
    let deviation = meanAndDeviation(differences).deviation
    guard deviation > 0 else { return differences.map { _ in 0 } }
    return differences.map { 2 * sigmoid(2 * $0 / deviation) - 1 }
  }

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exponential(-x)) }
}
