// Models of sizes that no vector, block or page divides: the same bits on every path, and finite.

import Models
import Testing

/// Weights from a counter; norms around 1.
struct CountedTensors: TensorSource {
  let layout: ParameterLayout

  var names: [String] { layout.names }
  var fileByteCount: Int { 0 }
  func shape(of name: String) throws -> [Int] { layout[name]?.shape ?? [] }
  func storage(of name: String) throws -> String { "F32" }
  func readFloats(_ name: String, into output: UnsafeMutableBufferPointer<Float>) throws {
    let random = Philox(seed: hash64(name))
    let middle = name.hasSuffix("norm.weight") || name.hasSuffix("layernorm.weight") ? 1.0 : 0
    for index in output.indices {
      output[index] = Float(middle + random.uniform(row: 0, sample: 0, position: index) - 0.5)
    }
  }
}

extension KernelPathTests {
  @Suite struct OddSizesTests {
    struct Sizes {
      var (vocabulary, hidden, layers, heads, keyValueHeads, dimension, feedForward) = (1, 1, 1, 1, 1, 2, 1)
      var window: Int?
      init(_ sizes: (Int, Int, Int, Int, Int, Int, Int), window: Int? = nil) {
        (vocabulary, hidden, layers, heads, keyValueHeads, dimension, feedForward) = sizes
        self.window = window
      }
    }
    /// Vocabulary, hidden size, layers, heads, key-value heads, head dimension, feed-forward size.
    static let sizes = [
      Sizes((1, 1, 1, 1, 1, 2, 1)), Sizes((3, 5, 2, 3, 1, 12, 7), window: 1),
      Sizes((17, 33, 2, 2, 2, 20, 1), window: 3), Sizes((2, 1, 1, 3, 3, 6, 31)),
      Sizes((40, 100, 1, 3, 1, 100, 65)), Sizes((7, 16, 1, 1, 1, 512, 5)),
    ]

    @Test(arguments: sizes.indices)
    func `odd sizes give the same logits and gradients on every path`(index: Int) throws {
      let sizes = Self.sizes[index]
      var configuration = Llama.decoder(
        vocabularySize: sizes.vocabulary, hiddenSize: sizes.hidden, layerCount: sizes.layers,
        headCount: sizes.heads, keyValueHeadCount: sizes.keyValueHeads, headDimension: sizes.dimension,
        feedForwardSize: sizes.feedForward, rotaryBase: 10_000, normEpsilon: 1e-5, tiedEmbeddings: false,
        contextLength: 70)
      configuration.slidingWindow = sizes.window
      try configuration.validate()
      let source = CountedTensors(layout: configuration.layout)
      let tokens = (0..<70).map { Int32($0 * $0 % sizes.vocabulary) }
      for mode in NumericMode.allCases {
        func logits(_ chunk: Int, on backend: any Backend) throws -> [[Float]] {
          let decoder = try Decoder(
            configuration, from: source, mode: mode, backend: backend)
          return try SequenceLogits(decoder).logits(tokens, chunk: chunk)
        }
        func gradients(on backend: any Backend) throws -> [Float] {
          let trainer = Trainer(
            configuration, parameters: try Parameters(configuration, from: source, on: backend),
            trainable: configuration.layout.names, objective: ConditionalObjective(kl: 0, entropy: 0.1),
            optimizer: AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0),
            schedule: LearningRateSchedule(
              peak: 1e-3, steps: 1, warmUpLength: .share(0), warmUp: .linear, decay: .constant),
            maximumGradientNorm: nil, mode: mode, backend: backend)
          let sums = trainer.gradient([
            TrainingExample(
              id: "a", context: Array(tokens.prefix(3)), unconditioned: [], output: Array(tokens.dropFirst(3))
            ),
            TrainingExample(id: "b", context: [0], unconditioned: [], output: [0]),
          ]).gradients
          return sums.names.flatMap { sums[$0].read() }
        }
        var expected: ([[UInt32]], [[UInt32]])?
        try KernelPathTests.onEveryWay { way in
          let (whole, alone) = (try logits(.max, on: way.backend), try logits(1, on: way.backend))
          let slopes = mode.hasGradients ? try gradients(on: way.backend) : []
          let finite = (whole.flatMap { $0 } + slopes).allSatisfy { $0.isFinite }
          #expect(finite, "\(way)")
          #expect(bitRows(alone) == bitRows(whole), "\(way)")
          let found = (bitRows(whole), bitRows([slopes]))
          if let expected {
            #expect(found.0 == expected.0 && found.1 == expected.1, "\(mode) \(way)")
          }
          expected = expected ?? found
        }
      }
    }

    /// A table of all its positions would take 275 GB.
    @Test func `a long context costs what is used of it`() throws {
      func logits(context: Int) throws -> [[Float]] {
        let configuration = Llama.decoder(
          vocabularySize: 7, hiddenSize: 16, layerCount: 1, headCount: 1, keyValueHeadCount: 1,
          headDimension: 512, feedForwardSize: 5, rotaryBase: 10_000, normEpsilon: 1e-5, tiedEmbeddings: true,
          contextLength: context)
        try configuration.validate()
        let decoder = try Decoder(
          configuration, from: CountedTensors(layout: configuration.layout), mode: .fp32,
          backend: CPUBackend(threads: 1))
        // The table grows, and not at once to all that is asked for later.
        let first = try SequenceLogits(decoder).logits([1, 2, 3])
        return try first + SequenceLogits(decoder).logits((0..<600).map { Int32($0 % 7) }, chunk: 200)
      }
      #expect(bitRows(try logits(context: 1 << 27)) == bitRows(try logits(context: 600)))
    }
  }
}
