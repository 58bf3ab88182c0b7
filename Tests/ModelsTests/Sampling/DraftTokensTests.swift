// Draft tokens change how many passes sampling takes, and nothing else.

import Models
import Testing

extension KernelPathTests {
  @Suite struct DraftTokensTests {
    /// What they say comes again, and a tiny model soon goes round in circles besides.
    static let requests = (0..<5).map { index in
      let start = Tiny.tokens(5 + 7 * index, seed: UInt64(60 + index))
      return SamplingRequest(
        row: UInt64(index), prompt: start + start + start.prefix(4), samples: [0, 1])
    }

    /// Everything a sample is, by row and sample.
    struct Drawn: Equatable {
      var samples: [String: String] = [:]
      var passes = 0
      var drafts = (proposed: 0, accepted: 0)
      static func == (a: Drawn, b: Drawn) -> Bool { a.samples == b.samples }
    }

    static func draw(
      _ decoder: Decoder, _ parameters: SamplingParameters, minimum: Int = 0, texts: SampleTexts? = nil,
      batch: Int = 64, rows: Int, endTokens: [Int32] = [2, 9]
    ) throws -> Drawn {
      let engine = SamplingEngine(
        decoder, parameters: parameters, minimumNewTokens: minimum, maximumNewTokens: 40,
        endTokens: endTokens, bannedTokens: [4], texts: texts, keepsStatistics: true, seed: 3, batch: batch,
        rowsWithDrafts: rows)
      var drawn = Drawn()
      func countPass() { drawn.passes += 1 }
      try engine.run(requests, checkpoint: countPass) { sample in
        drawn.samples["\(sample.request)#\(sample.sample)"] =
          "\(sample.tokens) \(sample.finish) \(sample.stop as Any) "
          + "\(sample.statistics.logProbabilities.map(\.bitPattern)) \(sample.statistics.entropies.map(\.bitPattern))"
      }
      drawn.drafts = engine.draftTokens
      return drawn
    }

    private static let penalties = Penalties(repetition: 1.1, presence: 0.1, frequency: 0.05)

    @Test(
      arguments: NumericMode.allCases,
      [
        SamplingParameters.greedy, SamplingParameters(temperature: 0.4, filters: [LogitsFilter.topP(0.95)]),
        SamplingParameters(temperature: 0.3, penalties: penalties),
      ])
    func `drafts change no sample, whatever the batch`(mode: NumericMode, parameters: SamplingParameters)
      throws
    {
      let decoder = try Tiny.decoder(mode: mode)
      let expected = try Self.draw(decoder, parameters, rows: 0)
      #expect(expected.samples.count == 10 && expected.drafts.proposed == 0)
      var drafts = (proposed: 0, accepted: 0)
      for (rows, batch) in [(2, 1), (6, 3), (40, 64)] {
        let found = try Self.draw(decoder, parameters, batch: batch, rows: rows)
        #expect(found == expected, "\(rows) rows, batch \(batch)")
        drafts.proposed += found.drafts.proposed
        drafts.accepted += found.drafts.accepted
      }
      // The test can fail: some draft tokens are accepted, and some are not.
      #expect(drafts.accepted > 20 && drafts.accepted < drafts.proposed, "\(drafts)")
    }

    @Test func `accepted draft tokens save passes`() throws {
      let decoder = try Tiny.decoder(mode: .bf16)
      let (without, with) = (
        try Self.draw(decoder, .greedy, batch: 1, rows: 0, endTokens: []),
        try Self.draw(decoder, .greedy, batch: 1, rows: 6, endTokens: [])
      )
      #expect(with == without)
      #expect(without.passes - with.passes == with.drafts.accepted && with.drafts.accepted > 100, "\(with)")
    }

    @Test func `a stop text and a least length end samples where they did`() throws {
      let decoder = try Tiny.decoder(mode: .bf16)
      let tokenizer = try TokenizerTests.fixture()
      let plain = try Self.draw(decoder, .greedy, rows: 0, endTokens: [])
      var stopped = 0
      for token in stride(from: Int32(5), to: 91, by: 8) {
        let texts = SampleTexts(stops: [tokenizer.decode([token])], tokenizer)
        let expected = try Self.draw(decoder, .greedy, minimum: 7, texts: texts, rows: 0, endTokens: [])
        stopped += expected == plain ? 0 : 1
        let found = try Self.draw(
          decoder, .greedy, minimum: 7, texts: texts, batch: 2, rows: 6, endTokens: [])
        #expect(found == expected, "token \(token)")
      }
      #expect(stopped > 1, "\(stopped)")
    }

    @Test func `a draft is what followed the last time, round and round`() {
      func draft(_ tokens: [Int32], _ count: Int) -> [Int32] {
        PromptLookup.draft(after: tokens, count: count)
      }
      #expect(draft([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 7, 1, 2, 3, 4], 3) == [7, 1, 2])
      #expect(draft([1, 2, 3, 4, 5, 1, 2, 3, 4], 8) == [5, 1, 2, 3, 4, 5, 1, 2])
      #expect(draft([8, 8, 8, 8, 8], 3) == [8, 8, 8])
      #expect(draft([8, 8, 8, 8], 3) == [])
      #expect(draft([1, 2, 3, 9, 1, 2, 3], 3) == [])
      #expect(draft([1, 2, 3, 4, 5, 1, 2, 3, 4], 0) == [])
    }
  }
}
