// Quantiles of the normal distribution, with the same bits on every machine.

/// The z below which a normal number lies with this probability.
/// Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", 1988, PPND16, to about 16 digits.
/// - Precondition: above 1e-300, below 1.
package func normalQuantile(_ probability: Double) -> Double {
  precondition(probability > 1e-300 && probability < 1, "a probability of \(probability)")
  let q = probability - 0.5
  if q.magnitude <= 0.425 {
    let r = 0.180625 - q * q
    return q * polynomial(r, centerNumerator) / polynomial(r, centerDenominator)
  }
  let r = (-logarithm(q < 0 ? probability : 1 - probability)).squareRoot()
  let tail =
    r <= 5
    ? polynomial(r - 1.6, tailNumerator) / polynomial(r - 1.6, tailDenominator)
    : polynomial(r - 5, farNumerator) / polynomial(r - 5, farDenominator)
  return q < 0 ? -tail : tail
}

/// The coefficient of the highest power last.
private func polynomial(_ x: Double, _ coefficients: [Double]) -> Double {
  coefficients.reversed().reduce(0) { $0 * x + $1 }
}

/// Of a positive normal number, by the series of artanh, from operations that IEEE 754 rounds correctly: no library's logarithm, whose
/// last bit is its own.
private func logarithm(_ x: Double) -> Double {
  var significand = x.significand
  var exponent = Double(x.exponent)
  if significand > 1.5 {
    significand /= 2
    exponent += 1
  }
  let ratio = (significand - 1) / (significand + 1)
  let square = ratio * ratio
  // |ratio| is at most 1/5, and 0.2^40 is beyond the last bit.
  let series = stride(from: 39, through: 1, by: -2).reduce(0.0) { $0 * square + 1 / Double($1) }
  return 2 * ratio * series + exponent * 0.693147180559945309417
}

private let centerNumerator = [
  3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
  45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
]
private let centerDenominator = [
  1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
  39307.89580009271061, 28729.085735721942674, 5226.495278852854561,
]
private let tailNumerator = [
  1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
  1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4,
]
private let tailDenominator = [
  1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
  0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9,
]
private let farNumerator = [
  6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
  0.026532189526576123093, 0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
]
private let farDenominator = [
  1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4,
  1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
]
