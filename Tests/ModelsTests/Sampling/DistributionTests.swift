// Which token is chosen how often: against probabilities written out plainly.

import Glibc
import Models
import Testing

struct DistributionTests {
  static let vocabulary = 24
  static let draws = 200_000

  /// Some tie, so that filters must cut between equals.
  static let logits: [Float] = (0..<vocabulary).map { index in
    let u = Philox(seed: 3).uniform(row: 0, sample: 0, position: index)
    return index % 4 == 3 ? 0.5 : Float(6 * u - 3)
  }

  /// The definition: temperature, top-k, top-p, min-p, typical-p, each on what the one before left; lowest id first among equals.
  static func probabilities(_ p: SamplingParameters, banned: Set<Int> = []) -> [Double] {
    var weights = logits.enumerated().map { index, x in
      banned.contains(index) ? 0 : exp(Double(x) / Double(p.temperature))
    }
    let order = weights.indices.sorted { weights[$0] != weights[$1] ? weights[$0] > weights[$1] : $0 < $1 }
    func keep(_ count: Int) { for index in order.dropFirst(count) { weights[index] = 0 } }
    func value(_ filter: LogitsFilter, _ none: Float) -> Float {
      p.filters.first { $0.filter == filter.name }?.value ?? none
    }
    let (topP, minP, typicalP) = (value(.topP, 1), value(.minP, 0), value(.typicalP, 1))
    if value(.topK, 0) > 0 { keep(Int(value(.topK, 0))) }
    if topP < 1 {
      let total = weights.reduce(0, +)
      var mass = 0.0
      var count = 0
      while count < order.count, mass < Double(topP) * total {
        mass += weights[order[count]]
        count += 1
      }
      keep(count)
    }
    if minP > 0 { keep(order.filter { weights[$0] >= Double(minP) * weights[order[0]] }.count) }
    if typicalP < 1 {
      let total = weights.reduce(0, +)
      let entropy = weights.filter { $0 > 0 }.map { -$0 / total * log($0 / total) }.reduce(0, +)
      let kept = order.filter { weights[$0] > 0 }
      func distance(_ index: Int) -> Double { abs(-log(weights[index] / total) - entropy) }
      var mass = 0.0
      for index in kept.sorted(by: { distance($0) < distance($1) }) {
        let isNeeded = mass < Double(typicalP) * total
        mass += weights[index]
        if !isNeeded { weights[index] = 0 }
      }
    }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  static func counts(_ p: SamplingParameters, banned: [Int32] = [], on device: TestDevice = .cpu) -> [Int] {
    let backend = device.backend(threads: 1)
    let rows = 500
    let tensor = backend.tensor(rows, vocabulary)
    for row in 0..<rows { tensor.slice(row..<row + 1).write(logits) }
    let random = Philox(seed: 11)
    var counts = [Int](repeating: 0, count: vocabulary)
    for call in 0..<draws / rows {
      // As the engine names them: a row, a sample, a position.
      let uniforms = (0..<rows).map {
        random.uniform(row: UInt64($0), sample: call % 20, position: call / 20)
      }
      let tokens = backend.sample(
        tensor, parameters: Array(repeating: p, count: rows), uniforms: uniforms, banned: banned
      ).tokens
      for token in tokens { counts[Int(token)] += 1 }
    }
    return counts
  }

  /// How many standard deviations the chi-square statistic lies above what chance gives.
  static func surprise(_ counts: [Int], _ probabilities: [Double]) -> Double {
    var statistic = 0.0
    var degrees = -1.0
    for (count, probability) in zip(counts, probabilities) where probability > 0 {
      let expected = probability * Double(draws)
      statistic += (Double(count) - expected) * (Double(count) - expected) / expected
      degrees += 1
    }
    return degrees <= 0 ? 0 : (statistic - degrees) / (2 * degrees).squareRoot()
  }

  static let cases: [SamplingParameters] = [
    SamplingParameters(temperature: 1), SamplingParameters(temperature: 0.6),
    SamplingParameters(temperature: 3),
    SamplingParameters(temperature: 1, filters: [LogitsFilter.topK(1)]),
    SamplingParameters(temperature: 1, filters: [LogitsFilter.topK(7)]),
    SamplingParameters(temperature: 1.3, filters: [LogitsFilter.topK(100)]),
    SamplingParameters(temperature: 1, filters: [LogitsFilter.topP(0.3)]),
    SamplingParameters(temperature: 1, filters: [LogitsFilter.topP(0.8)]),
    SamplingParameters(temperature: 1, filters: [LogitsFilter.topP(0.999)]),
    SamplingParameters(temperature: 1, filters: [LogitsFilter.topP(1e-6)]),
    SamplingParameters(temperature: 1, filters: [LogitsFilter.minP(0.1)]),
    SamplingParameters(temperature: 0.8, filters: [LogitsFilter.minP(1)]),
    SamplingParameters(temperature: 1.5, filters: [LogitsFilter.minP(1e-4)]),
    SamplingParameters(temperature: 0.9, filters: [LogitsFilter.topK(12), LogitsFilter.topP(0.9)]),
    SamplingParameters(
      temperature: 1.2, filters: [LogitsFilter.topK(15), LogitsFilter.topP(0.95), LogitsFilter.minP(0.08)]),
    SamplingParameters(temperature: 1, filters: [LogitsFilter.topP(0.9), LogitsFilter.minP(0.05)]),
    SamplingParameters(temperature: 1, filters: [LogitsFilter.typicalP(0.2)]),
    SamplingParameters(temperature: 1.4, filters: [LogitsFilter.typicalP(0.7)]),
    SamplingParameters(
      temperature: 1,
      filters: [
        LogitsFilter.topK(10), LogitsFilter.topP(0.95), LogitsFilter.minP(0.03), LogitsFilter.typicalP(0.5),
      ]),
  ]

  @Test func `every filter has a kernel, and leaves all tokens at its standard value`() {
    let settings = logitsFilters.map { filter in
      switch filter.values {
      case .integer(_, let standard): filter(Float(standard))
      case .number(_, _, let standard): filter(Float(standard))
      }
    }
    let all = SamplingParameters(temperature: 1, filters: settings)
    #expect(settings.count == 4 && Self.counts(all) == Self.counts(SamplingParameters(temperature: 1)))
  }

  @Test(arguments: cases, TestDevice.allCases)
  func `tokens come as often as they should`(parameters: SamplingParameters, device: TestDevice) {
    let expected = Self.probabilities(parameters)
    let counts = Self.counts(parameters, on: device)
    for (token, probability) in expected.enumerated() where probability == 0 {
      #expect(counts[token] == 0, "token \(token) is filtered out")
    }
    let surprise = Self.surprise(counts, expected)
    #expect(surprise < 4, "chi-square lies \(surprise) deviations above chance")
  }

  @Test(arguments: cases + [.greedy], TestDevice.allCases)
  func `each token comes with its probability in what it was drawn from`(
    parameters: SamplingParameters, device: TestDevice
  ) {
    let backend = device.backend(threads: 1)
    let rows = 200
    let tensor = backend.tensor(rows, Self.vocabulary)
    for row in 0..<rows { tensor.slice(row..<row + 1).write(Self.logits) }
    let drawn = backend.sample(
      tensor, parameters: Array(repeating: parameters, count: rows),
      uniforms: (0..<rows).map { (Double($0) + 0.5) / Double(rows) }, banned: [3])
    let expected =
      parameters.temperature == 0
      ? Self.logits.map { _ in 1 } : Self.probabilities(parameters, banned: [3])
    for (token, probability) in zip(drawn.tokens, drawn.probabilities) {
      #expect(abs(probability - expected[Int(token)]) < 1e-6)
    }
  }

  /// Most of a vocabulary is passed over in runs of 64 tokens: what is drawn among tokens that cannot come is what is drawn without
  /// them. A top-k that is no filter of the few tokens has another order of drawing.
  @Test(
    arguments: cases.filter { !$0.filters.contains { $0.filter == "top_k" && Int($0.value) >= vocabulary } }
      + [.greedy], [64, 127, 128, 1000])
  func `tokens that cannot come change nothing`(parameters: SamplingParameters, size: Int) {
    let backend = TestDevice.cpu.backend(threads: 1)
    let uniforms = (0..<200).map { (Double($0) + 0.5) / 200 }
    func drawn(_ logits: [Float]) -> [Int32] {
      let tensor = backend.tensor(uniforms.count, logits.count)
      for row in uniforms.indices { tensor.slice(row..<row + 1).write(logits) }
      let many = [SamplingParameters](repeating: parameters, count: uniforms.count)
      return backend.sample(tensor, parameters: many, uniforms: uniforms, banned: []).tokens
    }
    // From the first token to the last.
    let places = (0..<Self.vocabulary).map { $0 * (size - 1) / (Self.vocabulary - 1) }
    var scattered = [Float](repeating: -.infinity, count: size)
    for (place, logit) in zip(places, Self.logits) { scattered[place] = logit }
    #expect(drawn(scattered) == drawn(Self.logits).map { Int32(places[Int($0)]) })
  }

  @Test func `the measure notices a wrong temperature`() {
    let counts = Self.counts(SamplingParameters(temperature: 1))
    #expect(Self.surprise(counts, Self.probabilities(SamplingParameters(temperature: 1.03))) > 8)
  }

  @Test(arguments: [cases[0], cases[4], cases[7], cases[10]])
  func `banned tokens never come, and the others share their mass`(parameters: SamplingParameters) {
    let best = Self.logits.indices.max { Self.logits[$0] < Self.logits[$1] } ?? 0
    let banned: Set<Int> = [best, 3, 20]
    let counts = Self.counts(parameters, banned: banned.map { Int32($0) })
    for token in banned { #expect(counts[token] == 0) }
    #expect(Self.surprise(counts, Self.probabilities(parameters, banned: banned)) < 4)
  }

  @Test(arguments: TestDevice.allCases)
  func `penalties change the logits of tokens that came`(device: TestDevice) {
    let backend = device.backend(threads: 1)
    let tensor = backend.tensor(1, 5)
    tensor.write([2, -2, 3, 4, 5])
    backend.penalize(
      [0, 1, 2], counts: [0, 3, 1], in: tensor, Penalties(repetition: 2, presence: 0.5, frequency: 0.25))
    #expect(tensor.read() == [1, -4 - 0.5 - 0.75, 1.5 - 0.5 - 0.25, 4, 5])
    backend.ban([4], in: tensor)
    #expect(tensor.read()[3...] == [4, -.infinity])
  }

  @Test(arguments: TestDevice.allCases)
  func `greedy takes the largest, the lowest id among equals, and nothing banned`(device: TestDevice) {
    let backend = device.backend(threads: 1)
    func greedy(_ logits: [Float], banned: [Int32] = []) -> Int32 {
      let tensor = backend.tensor(1, logits.count)
      tensor.write(logits)
      return backend.sample(tensor, parameters: [.greedy], uniforms: [0.999], banned: banned).tokens[0]
    }
    #expect(greedy([0, 3, 1, 3, 3]) == 1)
    #expect(greedy([0, 3, 1, 3, 3], banned: [1]) == 3)
    #expect(greedy([0, 3, 1, 3, 3], banned: [1, 3, 4]) == 2)
    #expect(greedy([-5, -5]) == 0)
    #expect(greedy([-.infinity, -7]) == 1)
    #expect(greedy([-.infinity, -7], banned: [1]) == -1)
    for count in [63, 64, 65, 128, 129, 300] {
      for best in [0, 1, 62, 63, 64, 65, 127, 128, 299] where best < count {
        var logits = (0..<count).map { Float($0 % 7) - 9 }
        for equal in stride(from: best, to: count, by: 61) { logits[equal] = 2 }
        #expect(greedy(logits) == Int32(best), "\(best) of \(count)")
      }
    }
  }

  @Test(
    arguments: [
      SamplingParameters(temperature: 0), SamplingParameters(temperature: 1),
      SamplingParameters(temperature: 1, filters: [LogitsFilter.topP(0.5)]),
    ], TestDevice.allCases)
  func `a logit that is NaN or infinite gives no token`(parameters: SamplingParameters, device: TestDevice) {
    let backend = device.backend(threads: 1)
    for place in [0, 7, Self.vocabulary - 1] {
      for (value, isToken) in [(Float.nan, false), (.infinity, false), (-.infinity, true), (3e38, true)] {
        let tensor = backend.tensor(2, Self.vocabulary)
        var logits = Self.logits + Self.logits
        logits[place] = value
        tensor.write(logits)
        let tokens = backend.sample(
          tensor, parameters: [parameters, parameters], uniforms: [0.5, 0.5], banned: [Int32(place)]
        ).tokens
        #expect(
          (tokens[0] == -2) == !isToken && tokens[0] != -1 && tokens[1] >= 0,
          "\(value) at \(place): \(tokens)")
      }
    }
  }
}
