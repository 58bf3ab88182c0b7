import JSON
import Models
import Testing

/// Against PyTorch and transformers in fp32; Fixtures/goldens/README.md says what was written and which tolerance
/// another order of summation earns.
@Suite struct DecoderGoldenTests {
  @Test(arguments: Golden.models, TestDevice.allCases)
  func `logits equal the reference library's`(model: String, device: TestDevice) throws {
    let golden = try Golden(model)
    let decoder = try Decoder(
      golden.checkpoint.configuration, from: golden.checkpoint.tensors, mode: .fp32,
      backend: device.backend(threads: 2))
    let file = try SafeTensorsFile("\(golden.directory)/logits.safetensors")
    for (index, sequence) in golden.sequences.enumerated() {
      let found = try forward(decoder, sequence.tokens).flatMap { $0 }
      #expect(largestDifference(found, try file.floats("logits.\(index)")) < 2e-5)
    }
  }

  @Test(
    arguments: Golden.models,
    [SupervisedFineTuning(), ConditionalObjective(kl: 0, entropy: 0)] as [any Objective])
  func `gradients of the language model loss equal PyTorch's`(model: String, objective: any Objective) throws
  {
    let golden = try Golden(model)
    for device in TestDevice.allCases {
      let trainer = try Self.trainer(golden, objective: objective, on: device)
      let (loss, gradients) = trainer.gradient(golden.tokenExamples)
      let expected = try #require(golden.json["loss"]?.doubleValue)
      #expect(abs(loss - expected) < 1e-5 * expected)
      let file = try SafeTensorsFile("\(golden.directory)/gradients.safetensors")
      for name in gradients.names {
        let error = relativeError(gradients.stored(name), try file.floats(name))
        #expect(error < 1e-4, "\(name): \(error)")
      }
    }
  }

  /// Of the 2-norm of what is expected. Operands of products are rounded to 8 bits, each off by 0.002 of itself at most; the errors of
  /// a few products one after the other add up in logits, and those of the forward and the backward pass in gradients.
  private static let bfloat16Tolerance = (logits: 0.02, gradients: 0.03)

  @Test(arguments: Golden.models)
  func `logits and gradients in bf16 are near the reference library's in fp32`(model: String) throws {
    let golden = try Golden(model)
    let decoder = try Tiny.decoder(model, mode: .bf16)
    let logits = try SafeTensorsFile("\(golden.directory)/logits.safetensors")
    for (index, sequence) in golden.sequences.enumerated() {
      let found = try forward(decoder, sequence.tokens).flatMap { $0 }
      let error = relativeError(found, try logits.floats("logits.\(index)"))
      #expect(error < Self.bfloat16Tolerance.logits, "logits.\(index): \(error)")
    }
    let trainer = try Self.trainer(golden, objective: SupervisedFineTuning(), mode: .bf16)
    let file = try SafeTensorsFile("\(golden.directory)/gradients.safetensors")
    let gradients = trainer.gradient(golden.tokenExamples).gradients
    for name in gradients.names {
      let error = relativeError(gradients.stored(name), try file.floats(name))
      #expect(error < Self.bfloat16Tolerance.gradients, "\(name): \(error)")
    }
  }

  @Test(arguments: Golden.models)
  func `ten AdamW steps on the language model loss lose what PyTorch's lose`(model: String) throws {
    let golden = try Golden(model)
    let trainer = try Self.trainer(golden, objective: SupervisedFineTuning())
    let losses = golden.json["adamw"]?["language_model"]?["losses"]?.arrayValue ?? []
    for (step, expected) in losses.compactMap(\.doubleValue).enumerated() {
      let found = try trainer.train(golden.tokenExamples)
      #expect(abs(found.loss - expected) < 2e-4 * abs(expected), "step \(step + 1)")
    }
    #expect(trainer.step == 10)
  }

  @Test(arguments: Golden.continued)
  func `greedy continuations equal those of transformers`(model: String) throws {
    let golden = try Golden(model)
    let decoder = try Tiny.decoder(model, mode: .fp32)
    let items = golden.json["greedy"]?.arrayValue ?? []
    func tokens(_ item: JSON, _ key: String) -> [Int32] {
      (item[key]?.arrayValue ?? []).compactMap(\.intValue).map { Int32($0) }
    }
    let engine = SamplingEngine(
      decoder, parameters: .greedy, maximumNewTokens: 40, endTokens: [], seed: 0)
    var count = 0
    try engine.run(
      items.enumerated().map {
        SamplingRequest(row: UInt64($0), prompt: tokens($1, "prompt"), samples: [0])
      }
    ) { sample in
      #expect(sample.tokens == tokens(items[sample.request], "tokens"))
      count += 1
    }
    #expect(count == 3)
  }

  @Test(arguments: ["reference_policy", "policy_reference"], TestDevice.allCases)
  func `gradients of the conditional objective equal PyTorch's`(direction: String, device: TestDevice) throws
  {
    let golden = try Golden("tied")
    let trainer = try Self.trainer(golden, objective: Self.objective(golden, direction), on: device)
    let (loss, gradients) = trainer.gradient(golden.examples)
    let expected = try #require(golden.json["conditional"]?[direction]?["loss"]?.doubleValue)
    #expect(abs(loss - expected) < 1e-5 * expected)
    let file = try SafeTensorsFile("\(golden.directory)/gradients.\(direction).safetensors")
    for name in gradients.names {
      let error = relativeError(gradients[name].read(), try file.floats(name))
      #expect(error < 1e-4, "\(name): \(error)")
    }
  }

  @Test(arguments: ["reference_policy", "policy_reference"], TestDevice.allCases)
  func `ten AdamW steps lose what PyTorch's lose`(direction: String, device: TestDevice) throws {
    let golden = try Golden("tied")
    let adamW = try #require(golden.json["adamw"])
    let trainer = try Self.trainer(golden, objective: Self.objective(golden, direction), on: device)
    for (step, expected) in (adamW["conditional_\(direction)"]?["losses"]?.arrayValue ?? []).compactMap(
      \.doubleValue
    ).enumerated() {
      let found = try trainer.train(golden.examples)
      #expect(abs(found.loss - expected) < 2e-4 * abs(expected), "step \(step + 1)")
    }
    #expect(trainer.step == 10)
  }

  static func objective(_ golden: Golden, _ direction: String) throws -> ConditionalObjective {
    let conditional = try #require(golden.json["conditional"])
    return ConditionalObjective(
      kl: try #require(conditional["kl_coefficient"]?.doubleValue),
      entropy: try #require(conditional["entropy_coefficient"]?.doubleValue),
      klDirection: try #require(KLDirection(rawValue: direction)))
  }

  static func trainer(
    _ golden: Golden, of model: String? = nil, objective: any Objective, mode: NumericMode = .fp32,
    tokenBudget: Int = 1024,
    trainable: [String]? = nil, on device: TestDevice = .cpu
  ) throws -> Trainer {
    let checkpoint = try model.map { try openCheckpoint($0) } ?? golden.checkpoint
    let configuration = checkpoint.configuration
    let backend = device.backend(threads: 2)
    let reference = try Golden.reference()
    return Trainer(
      configuration, parameters: try Parameters(configuration, from: checkpoint.tensors, on: backend),
      trainable: trainable ?? configuration.layout.names,
      objective: objective,
      reference: ReferenceModel(
        try Decoder(reference.configuration, from: reference.tensors, mode: mode, backend: backend)),
      optimizer: AdamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01),
      schedule: LearningRateSchedule(
        peak: 1e-3, steps: 10, warmUpLength: .share(0), warmUp: .linear, decay: .constant),
      maximumGradientNorm: nil, mode: mode, backend: backend, tokenBudget: tokenBudget)
  }
}
