// Successive halving: rungs, cohorts, and which trials go on.

import Search
import Testing

struct SuccessiveHalvingTests {
  private let halving = SuccessiveHalving(least: 1, factor: 3, cohortSize: 9)

  @Test func `rungs rise by the factor and end below the whole`() {
    #expect(halving.rungs(of: 10) == [1, 3, 9])
    #expect(halving.rungs(of: 9) == [1, 3])
    #expect(halving.rungs(of: 1) == [])
    #expect(SuccessiveHalving(least: 2, factor: 2, cohortSize: 4).rungs(of: Int.max).count == 62)
  }

  @Test func `cohorts are consecutive trials`() {
    #expect(halving.cohort(of: 0, among: 20) == 0..<9)
    #expect(halving.cohort(of: 8, among: 20) == 0..<9)
    #expect(halving.cohort(of: 9, among: 20) == 9..<18)
    #expect(halving.cohort(of: 19, among: 20) == 18..<20)
  }

  @Test func `one in the factor goes on, of equal ones the lower number, of failed ones none`() {
    let metrics = [5.0, 1, 4, 1, 7, 1, 9, 8, 1]
    let outcomes = metrics.enumerated().map { (trial: $0.offset, outcome: Outcome.value($0.element)) }
    #expect(halving.goingOn(outcomes, .minimize) == [1, 3, 5])
    #expect(halving.goingOn(outcomes.reversed(), .minimize) == [1, 3, 5])
    #expect(halving.goingOn(outcomes, .maximize) == [4, 6, 7])
    #expect(halving.goingOn([(3, .value(2)), (1, .value(2))], .minimize) == [1])
    #expect(halving.goingOn([(3, .value(2)), (1, .failed), (2, .value(.nan))], .maximize) == [3])
    #expect(halving.goingOn([(3, .failed), (1, .failed)], .minimize) == [])
    let many = (0..<9).map { (trial: $0, outcome: $0 < 7 ? Outcome.failed : .value(0)) }
    #expect(halving.goingOn(many, .minimize) == [7, 8])
    #expect(halving.goingOn([], .minimize) == [])
  }
}
