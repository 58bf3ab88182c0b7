// Functions of numbers beside scipy's.

import JSON
import Search
import Testing

struct NumbersTests {
  private let cases: JSON
  init() throws { cases = try #require(fixture()["functions"]) }

  private func expectClose(
    _ name: String, at arguments: String, within tolerance: Double, _ function: (Double) -> Double
  ) throws {
    let arguments = try #require(cases[arguments]?.arrayValue).map { try #require($0.doubleValue) }
    let values = try #require(cases[name]?.arrayValue).map { try #require($0.doubleValue) }
    try #require(arguments.count == values.count && arguments.count > 10)
    for (argument, value) in zip(arguments, values) {
      let found = function(argument)
      #expect(
        abs(found - value) <= tolerance * abs(value), "\(name) of \(argument) is \(found), not \(value)")
    }
  }

  @Test func `the exponential is right to two units in the last place`() throws {
    try expectClose("exponential", at: "x", within: 0x1p-51, ElementaryFunctions.exponential)
  }

  @Test func `the logarithm is right to two units in the last place`() throws {
    try expectClose("logarithm", at: "share", within: 0x1p-51, ElementaryFunctions.logarithm)
  }

  @Test func `the normal distribution is right also far out`() throws {
    // The square of an argument of 36 is wrong by up to 1e-13.
    try expectClose("below", at: "x", within: 3e-13, NormalDistribution.below)
    try expectClose("complementary_error", at: "x", within: 1e-15, NormalDistribution.complementaryError)
    try expectClose("quantile", at: "share", within: 2e-15, NormalDistribution.quantile)
  }

  @Test func `the share of an interval far out is not lost`() {
    let share = NormalDistribution.between(10, 10.5)
    #expect(abs(share / 7.619853024160527e-24 - 1) < 1e-2)
    #expect(share == NormalDistribution.between(-10.5, -10))
    #expect(NormalDistribution.between(1, 1) == 0 && NormalDistribution.between(2, 1) == 0)
  }

  @Test func `ends of the functions are values too`() {
    #expect(ElementaryFunctions.exponential(-1000) == 0 && ElementaryFunctions.exponential(1000) == .infinity)
    #expect(ElementaryFunctions.exponential(0) == 1 && ElementaryFunctions.logarithm(1) == 0)
    #expect(
      ElementaryFunctions.logarithm(0) == -.infinity && ElementaryFunctions.logarithm(.infinity) == .infinity)
    #expect(ElementaryFunctions.exponential(.nan).isNaN && ElementaryFunctions.logarithm(.nan).isNaN)
    #expect(NormalDistribution.quantile(0) == -.infinity && NormalDistribution.quantile(1) == .infinity)
  }
}
