// Log-probabilities of continuations: the same alone and in company, and those of the logits.

import Models
import Testing

extension KernelPathTests {
  @Suite struct SequenceScorerTests {
    /// Who begins with the same 40 tokens: nobody, all, or each with two neighbours, after one token that all have.
    enum Beginning: CaseIterable { case own, common, threes }

    /// Continuations of one token and of several after contexts of 40 tokens and more.
    static func items(_ beginning: Beginning, multiToken: Bool) -> [ScoringItem] {
      (0..<12).map { index in
        let seed = UInt64(index)
        let prefix =
          switch beginning {
          case .own: Tiny.tokens(40, seed: 60 + seed)
          case .common: Tiny.tokens(40, seed: 50)
          case .threes: [7] + Tiny.tokens(39, seed: 60 + seed / 3)
          }
        let context = prefix + Tiny.tokens([0, 1, 24, 25, 40, 3][index % 6], seed: 70 + seed)
        let lengths = multiToken ? [1, 5, 33, 2] : [1, 1, 1]
        return ScoringItem(
          context: context,
          continuations: lengths.enumerated().map { Tiny.tokens($1, seed: 80 + seed * 8 + UInt64($0)) })
      }
    }

    static func scores(
      _ decoder: Decoder, _ items: [ScoringItem], budget: Int = 1024, memory: Int = 1 << 30
    ) throws -> [[[UInt32]]] {
      var results = [[[UInt32]]?](repeating: nil, count: items.count)
      let scorer = SequenceScorer(decoder, memory: memory, tokenBudget: budget)
      try scorer.score(items) { index, scores in
        #expect(results[index] == nil)
        results[index] = bitRows(scores)
      }
      return try results.map { try #require($0) }
    }

    /// From all logits of context and continuation together.
    static func expected(_ decoder: Decoder, _ items: [ScoringItem]) throws -> [[[UInt32]]] {
      let logits = SequenceLogits(decoder)
      let backend = CPUBackend(threads: 1)
      return try items.map { item in
        try item.continuations.map { continuation in
          let rows = try logits.logits(item.context + continuation)
          return continuation.enumerated().map { offset, token in
            let row = rows[item.context.count - 1 + offset]
            let tensor = backend.tensor(1, row.count)
            tensor.write(row)
            return (row[Int(token)] - backend.logSumExp(tensor)[0]).bitPattern
          }
        }
      }
    }

    @Test(arguments: Beginning.allCases, [false, true])
    func `scores are those of the logits, whatever the budget`(beginning: Beginning, multiToken: Bool) throws
    {
      let items = Self.items(beginning, multiToken: multiToken)
      for mode in NumericMode.allCases {
        let decoder = try Tiny.decoder(mode: mode)
        let expected = try Self.expected(decoder, items)
        #expect(Set(expected.flatMap { $0 }).count > 30)
        for budget in [1, 50, 150, 1000] {
          #expect(try Self.scores(decoder, items, budget: budget) == expected, "\(mode), budget \(budget)")
        }
        #expect(try items.flatMap { try Self.scores(decoder, [$0]) } == expected, "\(mode), one by one")
      }
    }

    /// The largest item: 80 tokens of context in 3 pages, and forks of it to 81, 85, 113 and 82, of which the
    /// continuations of several tokens take 1, 2 and 1 pages more.
    @Test(arguments: Beginning.allCases)
    func `scores that wait for memory are the same`(beginning: Beginning) throws {
      let items = Self.items(beginning, multiToken: true)
      let decoder = try Tiny.decoder(mode: .bf16)
      let expected = try Self.scores(decoder, items)
      for pages in [7, 8, 11, 20] {
        #expect(
          try Self.scores(decoder, items, memory: Tiny.memory(pages: pages, decoder)) == expected,
          "\(pages) pages")
      }
      #expect(throws: CacheExhausted.self) {
        _ = try Self.scores(decoder, items, memory: Tiny.memory(pages: 3, decoder))
      }
    }

    @Test func `scores do not depend on threads or instruction set`() throws {
      let items = Self.items(.threes, multiToken: true)
      for mode in NumericMode.allCases {
        let expected = try Self.scores(try Tiny.decoder(mode: mode), items)
        try KernelPathTests.onEveryWay { way in
          let decoder = try Tiny.decoder(mode: mode, on: way.backend)
          #expect(try Self.scores(decoder, items, budget: 50) == expected, "\(way)")
        }
      }
    }
  }
}
