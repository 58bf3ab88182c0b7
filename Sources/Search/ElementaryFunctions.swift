// Exponential and logarithm in Double from sums, products and quotients alone, so that a suggestion has the same bits on every machine.
// The C library's give other last bits on other processors, and a learning rate that differs in its last bit is another run.

package enum ElementaryFunctions {
  /// ln 2 in two parts: products of the first with an exponent of a double are exact.
  private static let ln2 = (high: 6.93147180369123816490e-01, low: 1.90821492927058770002e-10)

  /// e^x within 2 units in the last place; 0 below the least normal number, infinity above the greatest.
  ///
  /// x = k ln 2 + r with |r| <= ln 2 / 2, and e^x = 2^k e^r with e^r from 14 terms of its series, of which the next is under 5e-18.
  package static func exponential(_ x: Double) -> Double {
    guard x > -708 else { return x.isNaN ? x : 0 }
    guard x < 709 else { return .infinity }
    let k = (x * 1.442695040888963407).rounded()
    let r = (x - k * ln2.high) - k * ln2.low
    // Horner's rule in steps: one expression of 14 terms takes the compiler seconds.
    var sum = 1.6059043836821613e-10
    sum = sum * r + 2.08767569878681e-09
    sum = sum * r + 2.505210838544172e-08
    sum = sum * r + 2.755731922398589e-07
    sum = sum * r + 2.7557319223985893e-06
    sum = sum * r + 2.48015873015873e-05
    sum = sum * r + 0.0001984126984126984
    sum = sum * r + 0.001388888888888889
    sum = sum * r + 0.008333333333333333
    sum = sum * r + 0.041666666666666664
    sum = sum * r + 0.16666666666666666
    sum = sum * r + 0.5
    sum = sum * r + 1
    sum = sum * r + 1
    // k is from -1021 to 1023 here.
    return sum * Double(bitPattern: UInt64(1023 + Int(k)) << 52)
  }

  /// 2/(2n + 1) for n from 11 down to 0.
  private static let logarithmTerms: [Double] = (0...11).reversed().map { 2 / Double(2 * $0 + 1) }

  /// ln x within 2 units in the last place; negative infinity at 0 and below.
  ///
  /// x = 2^k m with m from the root of a half to the root of 2; ln m = 2 artanh s with s = (m - 1)/(m + 1), |s| < 0.172, from 12 terms
  /// of its series, of which the next is under 1e-19.
  package static func logarithm(_ x: Double) -> Double {
    guard x > 0 else { return x.isNaN ? x : -.infinity }
    guard x < .infinity else { return x }
    var (k, m) = (Double(x.exponent), x.significand)
    if m > 1.4142135623730951 {
      m /= 2
      k += 1
    }
    let s = (m - 1) / (m + 1)
    let square = s * s
    var sum = 0.0
    for term in logarithmTerms { sum = sum * square + term }
    return k * ln2.high + (s * sum + k * ln2.low)
  }
}
