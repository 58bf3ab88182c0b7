// Every part that a decoder can be described with, those of families that are not read yet among them, against the naive decoder in
// Double; and the same bits on every path.

import JSON
import Models
import Testing

/// A family whose configurations carry what its layout has: which biases, which order of storage.
private enum DescribedFamily: ModelFamily {
  static let modelType = "described"
  static let classPrefix = "Described"
  static func configuration(_ file: ConfigurationFile) throws -> DecoderConfiguration {
    throw ConfigurationError("model_type", "is read from no file")
  }
  static func members(_ configuration: DecoderConfiguration, dtype: String) -> JSONObject { JSONObject() }
  static func layoutName(ofStored name: String, _ configuration: DecoderConfiguration) -> String? { name }

  static func layout(_ configuration: DecoderConfiguration) -> ParameterLayout {
    func has(_ key: String) -> Bool { configuration.carried[key] == true }
    let isLayerNorm = configuration.norm.kind == .layer
    var layout = ParameterLayout(configuration)
    layout.add("tokens.weight", .tokenEmbedding)
    if configuration.positions == .learned { layout.add("positions.weight", .positionEmbedding) }
    for layer in 0..<configuration.layerCount {
      func add(_ name: String, _ role: ParameterRole, isTransposed: Bool = false) {
        layout.add("\(layer).\(name)", role, layer: layer, isTransposed: isTransposed)
      }
      func norm(_ name: String, _ weight: ParameterRole, _ bias: ParameterRole) {
        add("\(name)_norm.weight", weight)
        if isLayerNorm { add("\(name)_norm.bias", bias) }
      }
      norm("attention", .attentionNorm, .attentionNormBias)
      if configuration.residual != .parallel(sharesNorm: true) {
        norm("feed_forward", .feedForwardNorm, .feedForwardNormBias)
      }
      if has("fused") {
        layout.add(
          "\(layer).qkv.weight", .weight(.query), .weight(.key), .weight(.value), layer: layer,
          isTransposed: has("transposed"), interleavesHeads: has("interleaved"))
        if has("attention_bias") {
          layout.add(
            "\(layer).qkv.bias", .bias(.query), .bias(.key), .bias(.value), layer: layer,
            interleavesHeads: has("interleaved"))
        }
      }
      for projection in Projection.allCases where projection != .gate || configuration.isGated {
        let isInner = [.gate, .up, .down].contains(projection)
        if has("fused"), [.query, .key, .value].contains(projection) { continue }
        add("\(projection.rawValue).weight", .weight(projection), isTransposed: has("transposed"))
        if has(isInner ? "feed_forward_bias" : "attention_bias") {
          add("\(projection.rawValue).bias", .bias(projection))
        }
      }
    }
    layout.add("final_norm.weight", .finalNorm)
    if isLayerNorm { layout.add("final_norm.bias", .finalNormBias) }
    layout.addHead("head.weight", bias: has("head_bias") ? "head.bias" : nil)
    return layout
  }
}

/// What sets one kind of decoder apart.
struct Description: Sendable, CustomStringConvertible {
  let name: String
  var norm = Norm.Kind.layer
  var positions = Positions.learned
  var residual = Residual.sequential
  var isGated = false
  var activation = Activation.geluTanh
  var tied = false
  var headDimension = 10
  var heads = 3
  var keyValueHeads = 3
  var has: [String] = []
  var change: @Sendable (inout DecoderConfiguration) -> Void = { _ in }

  var description: String { name }

  var configuration: DecoderConfiguration {
    var configuration = DecoderConfiguration(
      family: DescribedFamily.self, vocabularySize: 23, hiddenSize: 21, layerCount: 2, headCount: heads,
      keyValueHeadCount: keyValueHeads, headDimension: headDimension, feedForwardSize: 19,
      norm: Norm(kind: norm, epsilon: 1e-5), positions: positions, isGated: isGated, activation: activation,
      tiedEmbeddings: tied, contextLength: 70)
    configuration.residual = residual
    configuration.carried = .object(JSONObject(has.map { ($0, true) }))
    change(&configuration)
    return configuration
  }

  static let all = [
    Description(
      name: "learned positions, fused and transposed", tied: true,
      has: ["fused", "transposed", "attention_bias", "feed_forward_bias"]),
    Description(
      name: "scores divided by the layer alone", keyValueHeads: 1, has: ["fused", "attention_bias"]
    ) {
      $0.scalesScoresByLayer = true
      $0.scalesScoresByDimension = false
    },
    Description(
      name: "parallel with one norm, neighbours turn",
      positions: .rotary(Rotary(base: 10_000, dimension: 6, pairs: .neighbours)),
      residual: .parallel(sharesNorm: true), has: ["feed_forward_bias", "head_bias"]),
    Description(
      name: "parallel with two norms, some of the halves turn",
      positions: .rotary(Rotary(base: 1000, dimension: 4)), residual: .parallel(sharesNorm: false),
      activation: .gelu, headDimension: 12,
      has: ["fused", "interleaved", "attention_bias", "feed_forward_bias"]),
    Description(
      name: "gated with biases, neighbours turn, tied with a bias", norm: .rms,
      positions: .rotary(Rotary(base: 500, dimension: 10, pairs: .neighbours)), isGated: true,
      activation: .silu, tied: true, keyValueHeads: 1,
      has: ["attention_bias", "feed_forward_bias", "head_bias"]
    ) { $0.slidingWindow = 5 },
    Description(
      name: "gated and parallel", norm: .rms, positions: .rotary(Rotary(base: 500, dimension: 10)),
      residual: .parallel(sharesNorm: false), isGated: true, has: ["transposed"]),
    // Head dimensions of real models that are no power of two, and GPT-J's, of which a quarter turns.
    Description(
      name: "heads of 80 of which 20 turn, as Pythia's",
      positions: .rotary(Rotary(base: 10_000, dimension: 20)),
      residual: .parallel(sharesNorm: false), activation: .gelu, headDimension: 80,
      has: ["fused", "interleaved", "attention_bias", "feed_forward_bias"]),
    Description(
      name: "heads of 96 in 3 groups, one branch after the other", norm: .rms,
      positions: .rotary(Rotary(base: 10_000, dimension: 96)), isGated: true, activation: .silu,
      headDimension: 96, heads: 6),
    Description(
      name: "heads of 100 with learned positions", tied: true, headDimension: 100,
      has: ["fused", "transposed", "attention_bias", "feed_forward_bias"]),
    Description(
      name: "heads of 256 of which 64 turn, as GPT-J's",
      positions: .rotary(Rotary(base: 10_000, dimension: 64, pairs: .neighbours)),
      residual: .parallel(sharesNorm: true), headDimension: 256, has: ["feed_forward_bias", "head_bias"]),
    Description(
      name: "a classifier of two labels", norm: .rms, positions: .rotary(Rotary(base: 500, dimension: 10))
    ) {
      $0.head = .classification(labels: ["no", "yes"])
    },
    Description(name: "a value head", tied: true, has: ["attention_bias", "head_bias"]) { $0.head = .value },
  ]
}

@Suite struct DescribedDecoderTests {
  static let tokens = (0..<12).map { $0 * $0 % 23 }

  static func trainer(
    _ configuration: DecoderConfiguration, mode: NumericMode = .fp32,
    on backend: any Backend = CPUBackend(threads: 2)
  ) throws -> Trainer {
    let source = CountedTensors(layout: configuration.layout)
    return Trainer(
      configuration, parameters: try Parameters(configuration, from: source, on: backend),
      trainable: configuration.layout.names,
      objective: configuration.head == .language ? SupervisedFineTuning() : OutputRegression(),
      optimizer: AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0),
      schedule: LearningRateSchedule(
        peak: 1e-3, steps: 1, warmUpLength: .share(0), warmUp: .linear, decay: .constant),
      maximumGradientNorm: nil, mode: mode, backend: backend)
  }

  static func example(_ tokens: [Int], context: Int) -> TrainingExample {
    let ids = tokens.map { Int32($0) }
    return TrainingExample(
      id: "a", context: Array(ids[..<context]), unconditioned: [], output: Array(ids[context...]))
  }

  @Test(arguments: Description.all)
  func `logits are those of the naive decoder`(description: Description) throws {
    let configuration = description.configuration
    try configuration.validate()
    let source = CountedTensors(layout: configuration.layout)
    let decoder = try Decoder(
      configuration, from: source, mode: .fp32, backend: CPUBackend(threads: 2))
    let found = try forward(decoder, Self.tokens.map { Int32($0) })
    let expected = try NaiveDecoder(configuration, from: source).logits(Self.tokens)
    let worst = zip(found, expected).reduce(0.0) { worst, rows in
      zip(rows.0, rows.1).reduce(worst) { max($0, abs(Double($1.0) - $1.1)) }
    }
    #expect(worst < 2e-5, "\(worst)")
  }

  /// Along the gradient of one tensor, made 1 long, the slope of the loss is the gradient's norm.
  @Test(arguments: Description.all)
  func `the gradient of every tensor is the slope of the naive decoder's loss`(description: Description)
    throws
  {
    let configuration = description.configuration
    let (_, gradients) = try Self.trainer(configuration).gradient([Self.example(Self.tokens, context: 4)])
    let naive = try NaiveDecoder(
      configuration, from: CountedTensors(layout: configuration.layout))
    for name in configuration.layout.names {
      let gradient = gradients.stored(name).map { Double($0) }
      let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // The softmax does not see what a key's bias adds to all scores of a query.
      if configuration.layout[name]?.roles == [.bias(.key)], configuration.positions == .learned { continue }
      func loss(_ step: Double) -> Double {
        var moved = naive
        moved.weights[name] = zip(naive.weights[name] ?? [], gradient).map { $0 + step * $1 / norm }
        return configuration.head == .language
          ? moved.loss(Self.tokens, targets: 4..<Self.tokens.count)
          : moved.squaredLoss(Self.tokens, targets: 4..<Self.tokens.count)
      }
      let slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
      #expect(norm > 0 && abs(slope - norm) < 1e-4 * norm, "\(name): \(slope), expected \(norm)")
    }
  }

  @Test func `new tokens have no bias in the head, and a vocabulary that is cut keeps those of the others`()
    throws
  {
    var configuration = Description.all[2].configuration
    let old = try Parameters(
      configuration, from: CountedTensors(layout: configuration.layout), on: CPUBackend(threads: 1))
    let grown = old.growingVocabulary(&configuration, to: 30, seed: 1)
    #expect(grown["head.bias"].read() == old["head.bias"].read() + [Float](repeating: 0, count: 7))
    #expect(configuration.layout.tensors.allSatisfy { grown.shapes[$0.name] == $0.shape })
    let cut = grown.cuttingVocabulary(&configuration, to: 20)
    #expect(cut["head.bias"].read() == Array(old["head.bias"].read().prefix(20)))
    #expect(cut["head.weight"].read() == old["head.weight"].slice(0..<20).read())
  }

  @Test(arguments: Description.all, [NumericMode.bf16, .int8])
  func `a cached continuation equals the whole forward pass`(description: Description, mode: NumericMode)
    throws
  {
    let configuration = description.configuration
    let decoder = try Decoder(
      configuration, from: CountedTensors(layout: configuration.layout), mode: mode,
      backend: CPUBackend(threads: 2))
    let tokens = (0..<70).map { Int32($0 * $0 % 23) }
    let whole = bitRows(try forward(decoder, tokens))
    for chunk in [1, 7, 33] {
      #expect(bitRows(try SequenceLogits(decoder).logits(tokens, chunk: chunk)) == whole)
    }
  }
}

extension KernelPathTests {
  @Suite struct DescribedPathTests {
    @Test(arguments: Description.all, NumericMode.withGradients)
    func `logits and gradients have the same bits on every path`(description: Description, mode: NumericMode)
      throws
    {
      let configuration = description.configuration
      let tokens = (0..<40).map { $0 * $0 % 23 }
      var expected: [[UInt32]]?
      try KernelPathTests.onEveryWay { way in
        let decoder = try Decoder(
          configuration, from: CountedTensors(layout: configuration.layout), mode: mode,
          backend: way.backend)
        let sums = try DescribedDecoderTests.trainer(configuration, mode: mode, on: way.backend).gradient([
          DescribedDecoderTests.example(tokens, context: 3),
          DescribedDecoderTests.example(Array(tokens.prefix(9)), context: 1),
        ]).gradients
        let found = bitRows(
          try forward(decoder, tokens.map { Int32($0) }) + sums.names.map { sums[$0].read() })
        #expect(found == expected ?? found, "\(way)")
        expected = found
      }
    }
  }
}
