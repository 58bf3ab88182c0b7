// The median rule.

import Search
import Testing

struct MedianRuleTests {
  private let others = [[1.0, 3], [2, 2], [3, 5], [4, 4], [5, 9]]

  @Test func `a trial ends whose best is worse than the median of the means so far`() {
    let rule = MedianRule()
    // Means after two iterations: 2, 2, 4, 4, 7.
    #expect(!rule.ends([9, 4], others: others, .minimize))
    #expect(rule.ends([9, 4.1], others: others, .minimize))
    #expect(!rule.ends([3, 9], others: others, .minimize))
    #expect(rule.ends([3.1], others: others, .minimize))
    #expect(rule.ends([3.9, 1], others: others, .maximize))
    #expect(!rule.ends([4, 1], others: others, .maximize))
  }

  @Test func `of an even number the median is the mean of the middle two`() {
    let rule = MedianRule(leastTrials: 2)
    #expect(!rule.ends([2.5], others: Array(others.prefix(4)), .minimize))
    #expect(rule.ends([2.6], others: Array(others.prefix(4)), .minimize))
  }

  @Test func `none ends before there is enough to compare with`() {
    #expect(!MedianRule(leastTrials: 6).ends([99], others: others, .minimize))
    #expect(!MedianRule(leastIterations: 2).ends([99], others: others, .minimize))
    #expect(!MedianRule().ends([99, 99, 99], others: others, .minimize))
    #expect(!MedianRule().ends([], others: others, .minimize))
  }

  @Test func `a metric that is not finite is the worst`() {
    let rule = MedianRule()
    for goal in Goal.allCases {
      #expect(rule.ends([.nan, .infinity], others: others, goal))
      #expect(!rule.ends([.nan], others: others.map { _ in [.nan] }, goal))
    }
  }
}
