// Value heads and classifiers of every family, against transformers and PyTorch.

import JSON
import Models
import System
import TestFolder
import Testing

/// A decoder of the goldens with a head of Fixtures/goldens/make_heads.py, as a directory.
struct GoldenHead {
  static let decoders = ["tied", "untied", "mistral", "gpt2", "gpt2-own", "gptj", "gpt-neox"]
  static let heads = ["value", "labels2", "labels3"]

  let golden: Golden
  let path: String
  private let prefix: String
  private let file: SafeTensorsFile

  init(_ decoder: String, _ head: String, in folder: TemporaryFolder, keeping kept: [String] = []) throws {
    golden = try Golden(decoder)
    file = try SafeTensorsFile("\(Golden.root)/heads.safetensors")
    prefix = "\(decoder)/\(head)/"
    path = "\(folder.path)/\(decoder)-\(head)"
    let weight = prefix + "weight"
    let count = try file.shape(of: weight)[0]
    var config = try #require(try readJSON("\(golden.directory)/config.json").objectValue)
    if head != "value" {
      config["id2label"] = .object(JSONObject((0..<count).map { ("\($0)", .string("label \($0)")) }))
    }
    try File.makeDirectory(path)
    try folder.write(JSON.object(config).text(), to: "\(decoder)-\(head)/config.json")
    let stored = try SafeTensorsFile("\(golden.directory)/model.safetensors")
    func output(_ name: String, _ shape: [Int], _ values: [Float]) -> SafeTensorsOutput {
      SafeTensorsOutput(name: name, shape: shape, dtype: .f32) { emit in
        try values.withUnsafeBytes { try emit($0) }
      }
    }
    let languageHeads = ["lm_head.weight", "lm_head.bias", "embed_out.weight"].filter { !kept.contains($0) }
    var outputs = try stored.names.filter { !languageHeads.contains($0) }.map {
      output($0, try stored.shape(of: $0), try stored.floats($0))
    }
    outputs.append(
      output(
        head == "value" ? "v_head.weight" : "score.weight", try file.shape(of: weight),
        try file.floats(weight)))
    try writeSafeTensors(outputs, to: "\(path)/model.safetensors")
  }

  func expected(_ name: String) throws -> [Float] { try file.floats(prefix + name) }
  var names: [String] {
    file.names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
  }

  /// Every position but the last of each sequence.
  var examples: [TrainingExample] {
    golden.sequences.enumerated().map { index, sequence in
      TrainingExample(
        id: "\(index)", context: Array(sequence.tokens.prefix(1)), unconditioned: [],
        output: Array(sequence.tokens.dropFirst()))
    }
  }
}

@Suite struct HeadGoldenTests {
  let folder = TemporaryFolder()

  @Test(arguments: GoldenHead.decoders, GoldenHead.heads)
  func `outputs equal those of transformers and PyTorch`(decoder: String, head: String) throws {
    let model = try GoldenHead(decoder, head, in: folder)
    let checkpoint = try openCheckpoint(model.path)
    for device in TestDevice.allCases {
      let found = try Decoder(
        checkpoint.configuration, from: checkpoint.tensors, mode: .fp32, backend: device.backend(threads: 2))
      for (index, sequence) in model.golden.sequences.enumerated() {
        let outputs = try SequenceLogits(found).logits(sequence.tokens)
        let expected = try model.expected("outputs.\(index)")
        let compared = head == "value" ? outputs.flatMap { $0 } : try #require(outputs.last)
        #expect(compared.count == expected.count && largestDifference(compared, expected) < 2e-5)
      }
    }
  }

  /// The names of transformers' decoder without a head, and `head`.
  @Test(arguments: GoldenHead.decoders, GoldenHead.heads)
  func `gradients equal PyTorch's`(decoder: String, head: String) throws {
    let model = try GoldenHead(decoder, head, in: folder)
    let trainer = try DecoderGoldenTests.trainer(model.golden, of: model.path, objective: OutputRegression())
    let gradients = trainer.gradient(model.examples).gradients
    var named: [(name: String, values: [Float])] = gradients.names.map { name in
      let prefix = ["model.", "transformer.", "gpt_neox."].first { name.hasPrefix($0) } ?? ""
      let isHead = ["v_head.weight", "score.weight"].contains(name)
      return (isHead ? "head" : String(name.dropFirst(prefix.count)), gradients[name].read())
    }
    named.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    let norms = named.map { _, values in
      Float(values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
    }
    let expected = try model.expected("norms")
    #expect(norms.count == expected.count && relativeError(norms, expected) < 1e-4)
    for (name, (found, expected)) in zip(named.map(\.name), zip(norms, expected)) {
      #expect(abs(found - expected) < 2e-4 * expected + 1e-6, "\(name)")
    }
    let whole = model.names.filter { $0.hasPrefix("gradient.") }
    #expect(whole.count == 2)
    for name in whole {
      let found = named.first { "gradient.\($0.name)" == name }?.values ?? []
      #expect(relativeError(found, try model.expected(name)) < 1e-4, "\(name)")
    }
  }

  @Test(arguments: [NumericMode.bf16, .int8, .fp32], GoldenHead.heads)
  func `a text's outputs depend on the text alone`(mode: NumericMode, head: String) throws {
    let checkpoint = try openCheckpoint(try GoldenHead("gptj", head, in: folder).path)
    // Of their own, and of three prompts with three answers each, two of them the same.
    let alone = (1...14).map { Tiny.tokens(1 + $0 * 37 % 90, seed: UInt64($0)) }
    let answers = (0..<9).map { index -> [Int32] in
      let prompt = Tiny.tokens(40, seed: UInt64(60 + index / 3))
      return prompt + Tiny.tokens(1 + index % 4 * 20, seed: UInt64(70 + index / 2))
    }
    let texts = alone + answers
    func scores(_ texts: [[Int32]], threads: Int = 1, memory: Int = 1 << 30) throws -> [[UInt32]] {
      let model = RewardModel(
        try Decoder(
          checkpoint.configuration, from: checkpoint.tensors, mode: mode,
          backend: CPUBackend(threads: threads)))
      var found: [[UInt32]] = []
      try model.score(
        texts, memory: memory, checkpoint: {},
        emit: { index, outputs in
          #expect(index == found.count)
          found.append(outputs.map(\.bitPattern))
        })
      return found
    }
    let together = try scores(texts)
    #expect(together.count == 23 && Set(together).count > 20)
    #expect(together.allSatisfy { $0.count == checkpoint.configuration.outputCount })
    #expect(try scores(texts, threads: 3) == together)
    #expect(try scores(texts, memory: 1 << 17) == together)
    #expect(try texts.flatMap { try scores([$0]) } == together)
    #expect(try scores(texts.reversed()) == together.reversed())
    let whole = SequenceLogits(
      try Decoder(
        checkpoint.configuration, from: checkpoint.tensors, mode: mode, backend: CPUBackend(threads: 1)))
    for (text, found) in zip(texts, together) {
      #expect(try whole.logits(text).last?.map(\.bitPattern) == found)
    }
  }

  @Test(arguments: GoldenHead.decoders, GoldenHead.heads)
  func `a model with a head is written as it was read`(decoder: String, head: String) throws {
    let path = try GoldenHead(decoder, head, in: folder).path
    let checkpoint = try openCheckpoint(path)
    let outputs = checkpoint.configuration.layout.tensors.map { tensor in
      SafeTensorsOutput(name: tensor.name, shape: tensor.shape, dtype: .f32) { emit in
        try checkpoint.tensors.floats(tensor.name).withUnsafeBytes { try emit($0) }
      }
    }
    let written = "\(folder.path)/written"
    try writeModelDirectory(
      written, configuration: checkpoint.configuration, tensors: outputs, tokenizer: nil, chatTemplate: nil)
    let again = try openCheckpoint(written)
    #expect(again.configuration == checkpoint.configuration)
    for name in checkpoint.configuration.layout.names {
      #expect(try again.tensors.floats(name) == checkpoint.tensors.floats(name), "\(name)")
    }
    let family = checkpoint.configuration.family.type.classPrefix
    let config = try readJSON("\(written)/config.json")
    #expect(
      config["architectures"] == [.string(family + (head == "value" ? "Model" : "ForSequenceClassification"))]
    )
    if head == "labels2" { #expect(config["id2label"] == ["0": "label 0", "1": "label 1"]) }
    let lines = try inspect(written)
    #expect(
      lines.contains(
        [
          "value": "head: a value at every position",
          "labels2": "head: classification of 2 labels, `label 0`, `label 1`",
          "labels3": "head: classification of 3 labels, `label 0`, `label 1`, `label 2`",
        ][head] ?? ""), "\(lines)")
  }

  private func refusal(
    _ decoder: String, _ head: String, keeping kept: [String] = [],
    _ change: (inout JSONObject) -> Void = { _ in }
  ) throws -> String {
    let model = try GoldenHead(decoder, head, in: folder, keeping: kept)
    var config = try #require(try readJSON("\(model.path)/config.json").objectValue)
    change(&config)
    try folder.write(JSON.object(config).text(), to: "\(decoder)-\(head)/config.json")
    return failure { _ = try openCheckpoint(model.path) }?.replacing("\(folder.path)/", with: "") ?? "opened"
  }

  @Test func `a head that the configuration contradicts is refused`() throws {
    #expect(
      try refusal("tied", "labels3") { $0["id2label"] = ["0": "a", "1": "b"] }
        == "`tied-labels3/config.json`: `id2label`: says 2 labels, but `score.weight` has shape [3, 64]")
    #expect(
      try refusal("tied", "labels2") { $0["id2label"] = ["0": "a", "2": "b"] }
        == "`tied-labels2/config.json`: `id2label`: expected a name under each of `0` to `1`, but `1` has none"
    )
    #expect(
      try refusal("tied", "labels2") {
        $0["id2label"] = nil
        $0["num_labels"] = 5
      } == "`tied-labels2/config.json`: `num_labels`: says 5 labels, but `score.weight` has shape [2, 64]")
    #expect(
      try refusal("untied", "value", keeping: ["lm_head.weight"]).contains(
        "tensor `lm_head.weight`: unexpected tensor"))
    #expect(
      try refusal("gpt-neox", "labels2", keeping: ["embed_out.weight"]).contains(
        "tensor `embed_out.weight`: unexpected tensor"))
    // transformers would give this one a random head.
    var config = try #require(try readJSON("\(Golden.root)/tied/config.json").objectValue)
    config["architectures"] = ["LlamaForSequenceClassification"]
    try File.makeDirectory("\(folder.path)/bare")
    try folder.write(JSON.object(config).text(), to: "bare/config.json")
    try writeSafeTensors(
      try Golden("tied").checkpoint.tensors.outputs(), to: "\(folder.path)/bare/model.safetensors")
    #expect(
      failure { _ = try openCheckpoint("\(folder.path)/bare") }?.hasSuffix(
        "`architectures`: `LlamaForSequenceClassification` has a head `score.weight`, but the model has no such tensor"
      ) == true)
  }

  @Test func `labels without names are numbered`() throws {
    #expect(
      try refusal("tied", "labels2") {
        $0["id2label"] = nil
        $0["num_labels"] = 2
      } == "opened")
    let checkpoint = try openCheckpoint("\(folder.path)/tied-labels2")
    #expect(checkpoint.configuration.head == .classification(labels: ["LABEL_0", "LABEL_1"]))
  }

  @Test func `a vocabulary grows and is cut without its head`() throws {
    let checkpoint = try openCheckpoint(try GoldenHead("untied", "value", in: folder).path)
    var configuration = checkpoint.configuration
    let old = try Parameters(configuration, from: checkpoint.tensors, on: CPUBackend(threads: 1))
    let grown = old.growingVocabulary(&configuration, to: 100, seed: 1)
    #expect(configuration.layout.tensors.allSatisfy { grown.shapes[$0.name] == $0.shape })
    #expect(grown["v_head.weight"].read() == old["v_head.weight"].read())
    let cut = grown.cuttingVocabulary(&configuration, to: 90)
    #expect(configuration.layout.tensors.allSatisfy { cut.shapes[$0.name] == $0.shape })
    #expect(cut["v_head.weight"].read() == old["v_head.weight"].read())
  }

  @Test func `with frozen embeddings such a head trains, and a language model's does not`() throws {
    let value = try openCheckpoint(try GoldenHead("untied", "value", in: folder).path).configuration
    #expect(
      value.layout.trainableNames(blocks: 0, embeddings: false) == ["model.norm.weight", "v_head.weight"])
    let language = try Golden("untied").checkpoint.configuration
    #expect(language.layout.trainableNames(blocks: 0, embeddings: false) == ["model.norm.weight"])
  }
}

extension TensorSource {
  fileprivate func outputs() throws -> [SafeTensorsOutput] {
    try names.map { name in
      SafeTensorsOutput(name: name, shape: try shape(of: name), dtype: .f32) { emit in
        try floats(name).withUnsafeBytes { try emit($0) }
      }
    }
  }
}
