// The standard normal distribution in Double: what lies below a number, between two numbers, and which number has so much below it.

/// From sums, products, quotients and square roots alone, as `ElementaryFunctions`: the same bits on every machine.
package enum NormalDistribution {
  /// Φ(x), with full relative precision for negative x.
  package static func below(_ x: Double) -> Double { 0.5 * complementaryError(-x * 0.7071067811865476) }

  /// Φ(high) - Φ(low), with full relative precision where both are on one side of 0. 0 unless low < high.
  package static func between(_ low: Double, _ high: Double) -> Double {
    guard low < high else { return 0 }
    return low > 0 ? below(-low) - below(-high) : below(high) - below(low)
  }

  // MARK: the error function

  private static func polynomial(_ coefficients: [Double], _ x: Double) -> Double {
    var sum = 0.0
    for coefficient in coefficients { sum = sum * x + coefficient }
    return sum
  }

  private static let center: (top: [Double], bottom: [Double]) = (
    [
      1.85777706184603153e-1, 3.16112374387056560e00, 1.13864154151050156e02, 3.77485237685302021e02,
      3.20937758913846947e03,
    ],
    [
      1, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03,
    ]
  )
  private static let middle: (top: [Double], bottom: [Double]) = (
    [
      2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e00, 6.61191906371416295e01,
      2.98635138197400131e02, 8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03,
      1.23033935479799725e03,
    ],
    [
      1, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02, 1.62138957456669019e03,
      3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03, 1.23033935480374942e03,
    ]
  )
  private static let tail: (top: [Double], bottom: [Double]) = (
    [
      1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
      1.60837851487422766e-2, 6.58749161529837803e-4,
    ],
    [
      1, 2.56852019228982242e00, 1.87295284992346725e00, 5.27905102951428412e-1, 6.05183413124413191e-2,
      2.33520497626869185e-3,
    ]
  )

  /// erfc(x) = 1 - erf(x), relative error under 1e-15 where it is a normal number. Source: Cody, Rational Chebyshev approximations for
  /// the error function, Mathematics of Computation 23 (1969).
  package static func complementaryError(_ x: Double) -> Double {
    let size = abs(x)
    if size <= 0.46875 {
      let square = size * size
      return 1 - x * polynomial(center.top, square) / polynomial(center.bottom, square)
    }
    var result: Double
    if size <= 4 {
      result = polynomial(middle.top, size) / polynomial(middle.bottom, size)
    } else if size < 27 {
      let inverse = 1 / (size * size)
      result = inverse * polynomial(tail.top, inverse) / polynomial(tail.bottom, inverse)
      result = (0.5641895835477563 - result) / size
    } else {
      result = 0
    }
    if result != 0 {
      // e^(-x²) in two factors: the square of x with 4 binary places is exact.
      let short = (size * 16).rounded(.towardZero) / 16
      result *=
        ElementaryFunctions.exponential(-short * short)
        * ElementaryFunctions.exponential(-(size - short) * (size + short))
    }
    return x < 0 ? 2 - result : result
  }

  // MARK: the quantile

  private static let quantileCenter: (top: [Double], bottom: [Double]) = (
    [
      2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
      1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
    ],
    [
      5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
      5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1,
    ]
  )
  private static let quantileMiddle: (top: [Double], bottom: [Double]) = (
    [
      7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
      1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
      4.63033784615654529590e0, 1.42343711074968357734e0,
    ],
    [
      1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
      1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
      2.05319162663775882187e0, 1,
    ]
  )
  private static let quantileTail: (top: [Double], bottom: [Double]) = (
    [
      2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
      2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
      5.46378491116411436990e0, 6.65790464350110377720e0,
    ],
    [
      2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
      7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
      5.99832206555887937690e-1, 1,
    ]
  )

  /// The x with Φ(x) = `share`, relative error about 1e-15; infinite at 0 and 1. Source: Wichura, Algorithm AS 241, Applied Statistics 37 (1988).
  package static func quantile(_ share: Double) -> Double {
    guard share > 0 else { return -.infinity }
    guard share < 1 else { return .infinity }
    let q = share - 0.5
    if abs(q) <= 0.425 {
      let r = 0.180625 - q * q
      return q * polynomial(quantileCenter.top, r) / polynomial(quantileCenter.bottom, r)
    }
    var r = (-ElementaryFunctions.logarithm(min(share, 1 - share))).squareRoot()
    let size: Double
    if r <= 5 {
      r -= 1.6
      size = polynomial(quantileMiddle.top, r) / polynomial(quantileMiddle.bottom, r)
    } else {
      r -= 5
      size = polynomial(quantileTail.top, r) / polynomial(quantileTail.bottom, r)
    }
    return q < 0 ? -size : size
  }
}
