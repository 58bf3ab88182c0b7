// A sample is a function of model, prompt, parameters, seed, row and index: of nothing else, bit for bit.

import Glibc
import Models
import Testing

extension KernelPathTests {
  @Suite struct SamplingLawTests {
    /// Prompts around the sizes where pages and blocks of keys begin.
    static let lengths = [1, 5, 31, 32, 33, 63, 64, 65, 70]
    static let newTokens = 36

    static let requests = lengths.enumerated().map { index, length in
      SamplingRequest(
        row: hash64("row\(index)"), prompt: Tiny.tokens(length, seed: UInt64(index)), samples: [0, 1, 2])
    }

    /// Results by row and sample.
    static func draw(
      _ decoder: Decoder, _ requests: [SamplingRequest] = requests, batch: Int = 64, memory: Int = 1 << 30,
      parameters: SamplingParameters = SamplingParameters(
        temperature: 1.2, filters: [LogitsFilter.topP(0.95)]), seed: UInt64 = 7,
      prefillTokens: Int = 512
    ) throws -> [String: [Int32]] {
      let engine = SamplingEngine(
        decoder, parameters: parameters, maximumNewTokens: newTokens, endTokens: [2, 9], bannedTokens: [4],
        seed: seed, memory: memory, batch: batch, prefillTokens: prefillTokens)
      var results: [String: [Int32]] = [:]
      try engine.run(requests) { sample in
        let key = "\(requests[sample.request].row)#\(sample.sample)"
        #expect(results[key] == nil, "\(key) came twice")
        // The end is part of what must agree.
        results[key] = sample.tokens + (sample.finish == .end ? [-1] : [])
        #expect(sample.finish == .end || sample.tokens.count == newTokens)
      }
      return results
    }

    @Test(arguments: [("tied", NumericMode.bf16), ("tied", .fp32), ("tied", .int8), ("mistral", .bf16)])
    func `samples do not depend on the batch`(model: String, mode: NumericMode) throws {
      let decoder = try Tiny.decoder(model, mode: mode)
      let expected = try Self.draw(decoder)
      #expect(expected.count == 27)
      // The test can fail: samples differ from one another, some end early and some do not.
      #expect(Set(expected.values).count > 20)
      let ended = expected.values.filter { $0.last == -1 }.count
      #expect(ended > 0 && ended < 27)
      #expect(!expected.values.contains { $0.contains(4) })
      #expect(try Self.draw(decoder, seed: 8) != expected)
      for batch in [1, 3, 7, 32] {
        #expect(try Self.draw(decoder, batch: batch) == expected, "batch \(batch)")
      }
    }

    @Test(arguments: NumericMode.allCases)
    func `samples do not depend on the pieces in which prompts are read`(mode: NumericMode) throws {
      let decoder = try Tiny.decoder(mode: mode)
      let expected = try Self.draw(decoder)
      // Five pages hold one long prompt and a sample of it.
      let memory = Tiny.memory(pages: 5, decoder)
      for tokens in [1, 5, 32, 33, 100] {
        #expect(try Self.draw(decoder, prefillTokens: tokens) == expected, "\(tokens) at once")
        #expect(try Self.draw(decoder, batch: 3, memory: memory, prefillTokens: tokens) == expected)
      }
    }

    @Test func `a long prompt holds nobody up`() throws {
      let decoder = try Tiny.decoder(mode: .bf16)
      let requests = [5, 70].map {
        SamplingRequest(row: UInt64($0), prompt: Tiny.tokens($0, seed: UInt64($0)), samples: [0])
      }
      let engine = SamplingEngine(
        decoder, parameters: .greedy, maximumNewTokens: 20, endTokens: [], seed: 1, prefillTokens: 8)
      var passes: [(read: Int, drawn: Int)] = []
      func betweenPasses() { passes.append((engine.prefilledTokens, engine.drawnTokens)) }
      try engine.run(requests, checkpoint: betweenPasses) { _ in }
      let steps = zip(passes, passes.dropFirst()).map {
        (read: $1.read - $0.read, drawn: $1.drawn - $0.drawn)
      }
      #expect(steps.allSatisfy { $0.read <= 8 })
      // Nine pieces of the long prompt beside the first sample, which goes on in each.
      #expect(steps.dropFirst().filter { $0.read > 0 }.count >= 8)
      #expect(steps.dropFirst().allSatisfy { $0.drawn > 0 })
      #expect(engine.prefilledTokens == 75)
    }

    /// The longest request has 3 pages of prompt, and its sample 4, of which it shares 2.
    @Test(arguments: NumericMode.allCases)
    func `samples that wait for memory are the same`(mode: NumericMode) throws {
      let decoder = try Tiny.decoder(mode: mode)
      let expected = try Self.draw(decoder)
      for pages in [5, 6, 9, 13] {
        for batch in [3, 64] {
          let memory = Tiny.memory(pages: pages, decoder)
          #expect(
            try Self.draw(decoder, batch: batch, memory: memory) == expected, "\(pages) pages, batch \(batch)"
          )
        }
      }
    }

    @Test func `too little memory for one sample is an error that names the need`() throws {
      let decoder = try Tiny.decoder(mode: .bf16)
      let error = #expect(throws: CacheExhausted.self) {
        _ = try Self.draw(decoder, memory: Tiny.memory(pages: 4, decoder))
      }
      #expect(error?.description.contains("`engine.memory`") == true)
    }

    @Test func `samples do not depend on the order of requests or of samples`() throws {
      let decoder = try Tiny.decoder(mode: .bf16)
      let expected = try Self.draw(decoder)
      for seed in 1...3 as ClosedRange<UInt64> {
        let order = shuffledOrder(Self.requests.map { "\($0.row)" }, seed: seed, epoch: 0)
        let requests = order.map { Self.requests[$0] }.map {
          SamplingRequest(row: $0.row, prompt: $0.prompt, samples: seed % 2 == 1 ? [2, 0, 1] : $0.samples)
        }
        #expect(try Self.draw(decoder, requests, batch: 5) == expected)
      }
    }

    @Test(arguments: [("tied", NumericMode.bf16), ("tied", .fp32), ("tied", .int8), ("mistral", .bf16)])
    func `statistics are what the model makes of the tokens, whatever was filtered`(
      model: String, mode: NumericMode
    ) throws {
      let decoder = try Tiny.decoder(model, mode: mode)
      let parameters = SamplingParameters(
        temperature: 1.7, filters: [LogitsFilter.topP(0.8)], penalties: Penalties(repetition: 1.3))
      let engine = SamplingEngine(
        decoder, parameters: parameters, maximumNewTokens: 9, endTokens: [], keepsStatistics: true, seed: 4)
      var samples: [SampledSequence] = []
      try engine.run(Self.requests) { samples.append($0) }
      let items = samples.map {
        ScoringItem(context: Self.requests[$0.request].prompt, continuations: [$0.tokens])
      }
      try SequenceScorer(decoder).score(items) { index, scores in
        #expect(scores == [samples[index].statistics.logProbabilities])
      }
      let logits = SequenceLogits(decoder)
      for sample in samples.prefix(3) {
        let prompt = Self.requests[sample.request].prompt
        let row = try logits.logits(prompt + sample.tokens.dropLast())
        for (position, entropy) in sample.statistics.entropies.enumerated() {
          let z = row[prompt.count - 1 + position].map { Double($0) }
          let weights: [Double] = z.map { exp($0) }
          let total: Double = weights.reduce(0, +)
          let terms: [Double] = weights.map { -$0 / total * log($0 / total) }
          #expect(abs(terms.reduce(0, +) - Double(entropy)) < 1e-4)
        }
      }
    }

    @Test func `samples asked for one by one are those asked for together`() throws {
      let decoder = try Tiny.decoder(mode: .bf16)
      let expected = try Self.draw(decoder)
      var found: [String: [Int32]] = [:]
      for request in Self.requests {
        for sample in request.samples {
          let alone = SamplingRequest(row: request.row, prompt: request.prompt, samples: [sample])
          found.merge(try Self.draw(decoder, [alone])) { a, _ in a }
        }
      }
      #expect(found == expected)
    }

    @Test(arguments: [("tied", 1), ("tied", 31), ("tied", 32), ("tied", 33), ("tied", 65), ("mistral", 65)])
    func `what all prompts begin with is computed once and changes nothing`(model: String, length: Int) throws
    {
      let decoder = try Tiny.decoder(model, mode: .bf16)
      let start = Tiny.tokens(length, seed: 77)
      let lengths = [1, 2, 5, 20, 27]
      let requests = lengths.enumerated().map { index, count in
        SamplingRequest(
          row: UInt64(index), prompt: start + Tiny.tokens(count, seed: UInt64(index)), samples: [0, 1, 2])
      }
      // Alone, a prompt has nothing to share.
      var expected: [String: [Int32]] = [:]
      for request in requests { expected.merge(try Self.draw(decoder, [request])) { a, _ in a } }
      // Beside an opening of 65 tokens the longest needs a page more than without it.
      for pages in [5, 6, 20] {
        let memory = Tiny.memory(pages: pages, decoder)
        #expect(try Self.draw(decoder, requests, batch: 5, memory: memory) == expected, "\(pages) pages")
      }
      let engine = SamplingEngine(
        decoder, parameters: .greedy, maximumNewTokens: 1, endTokens: [], seed: 1)
      try engine.run(requests) { _ in }
      #expect(engine.prefilledTokens == length + lengths.reduce(0, +))
    }

    @Test(arguments: NumericMode.allCases)
    func `samples do not depend on threads or instruction set`(mode: NumericMode) throws {
      let decoder = try Tiny.decoder(mode: mode)
      let requests = [Self.requests[2], Self.requests[7]]
      let expected = try Self.draw(decoder, requests)
      let greedy = try Self.draw(decoder, requests, parameters: .greedy)
      try KernelPathTests.onEveryWay { way in
        // A decoder of its own: weights are packed by the same path.
        let decoder = try Tiny.decoder(mode: mode, on: way.backend)
        #expect(try Self.draw(decoder, requests, batch: 7) == expected, "\(way)")
        #expect(try Self.draw(decoder, requests, batch: 32, parameters: .greedy) == greedy, "\(way)")
      }
    }

    @Test(arguments: Golden.kinds, NumericMode.allCases)
    func `logits do not depend on pieces, company, threads or instruction set`(
      model: String, mode: NumericMode
    )
      throws
    {
      let sequences = [128, 1, 33, 64, 97].enumerated().map { Tiny.tokens($1, seed: UInt64(100 + $0)) }
      let logits = SequenceLogits(try Tiny.decoder(model, mode: mode))
      let expected = try sequences.map { bitRows(try logits.logits($0)) }
      #expect(expected.map(\.count) == sequences.map(\.count))
      #expect(expected[0][0] != expected[0][1])
      for chunk in [1, 7, 32, 33] {
        #expect(bitRows(try logits.logits(sequences[0], chunk: chunk)) == expected[0], "pieces of \(chunk)")
        #expect(
          try logits.logits(sideBySide: sequences, chunk: chunk).map(bitRows) == expected,
          "side by side in pieces of \(chunk)")
      }
      #expect(try logits.logits(sideBySide: sequences).map(bitRows) == expected, "side by side")
      #expect(try logits.logits(sideBySide: sequences.reversed()).map(bitRows) == expected.reversed())
      try KernelPathTests.onEveryWay { way in
        let logits = SequenceLogits(try Tiny.decoder(model, mode: mode, on: way.backend))
        #expect(try logits.logits(sideBySide: sequences, chunk: 33).map(bitRows) == expected, "\(way)")
      }
    }
  }
}
