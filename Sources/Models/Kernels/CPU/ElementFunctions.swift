// Exponential and logarithm with the same bits on every machine, to fp32 precision.

import CKernels

package func exponential(_ x: Double) -> Double { Double(pk_exp(Float(x))) }
package func naturalLogarithm(_ x: Double) -> Double { Double(pk_log(Float(x))) }

/// Probabilities from log-weights.
package func softmax(_ x: [Double]) -> [Double] {
  let maximum = x.max() ?? 0
  let weights = x.map { exponential($0 - maximum) }
  let sum = weights.reduce(0, +)
  return weights.map { $0 / sum }
}
