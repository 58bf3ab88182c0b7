// Which sequences are computed together.

import Models
import Testing

@Suite struct SharedPrefixesTests {
  /// Letters as tokens.
  static func groups(_ texts: [String], known: Int = 0, budget: Int = 1000) -> [SharedPrefix] {
    sharedPrefixes(
      of: texts.map { $0.utf8.map { Int32($0) } }, beyond: known, tokenBudget: budget)
  }

  @Test func `samples of one prompt share it, and neighbours that share one word do not spoil it`() {
    #expect(
      Self.groups(["abcd1", "abcd2", "abcd3", "axyz1", "axyz2", "q1", "abcd4"])
        == [
          SharedPrefix(items: 0..<3, length: 4), SharedPrefix(items: 3..<5, length: 4),
          SharedPrefix(items: 5..<6, length: 0), SharedPrefix(items: 6..<7, length: 0),
        ])
  }

  @Test func `what all begin with is not counted again`() {
    #expect(
      Self.groups(["ooab1", "ooab2", "ooc"], known: 2)
        == [SharedPrefix(items: 0..<2, length: 4), SharedPrefix(items: 2..<3, length: 2)])
    #expect(Self.groups(["ooa", "oob"], known: 2).map(\.length) == [2, 2])
  }

  @Test func `a sequence keeps its last token, equal ones too`() {
    #expect(Self.groups(["abc", "abc", "abcd"]) == [SharedPrefix(items: 0..<3, length: 2)])
    #expect(Self.groups(["a", "a"]).map(\.items) == [0..<1, 1..<2])
    #expect(Self.groups([]) == [])
  }

  @Test func `a group has no more tokens than the budget`() {
    // Three share four tokens: 4 + 1 + 1 + 1.
    let texts = ["abcd1", "abcd2", "abcd3", "abcd4", "abcd5"]
    for budget in 1...9 {
      let groups = Self.groups(texts, budget: budget)
      #expect(groups.flatMap { Array($0.items) } == Array(0..<5), "in order, each once")
      #expect(groups.allSatisfy { $0.items.count == 1 || $0.length + $0.items.count <= budget })
      #expect((groups.map(\.items.count).max() ?? 0) == max(1, min(5, budget - 4)), "budget \(budget)")
    }
  }
}
