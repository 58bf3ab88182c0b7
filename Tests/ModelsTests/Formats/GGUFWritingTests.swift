// A model written as GGUF: what gguf's own writer made of it, and the same model again.

import Glibc
import JSON
import Models
import System
import TestFolder
import Testing
import TinyModel

@Suite struct GGUFWritingTests {
  let directory = TemporaryFolder()
  private var path: String { "\(directory.path)/m.gguf" }

  @Test(arguments: GGUFFixture.all)
  func `every tensor has the bytes that gguf's writer gave it`(fixture: GGUFFixture) throws {
    let folder = try openCheckpoint(fixture.directory)
    try folder.write(toGGUF: path, as: F16.self)
    let (written, wanted) = (try GGUFFile(path), try GGUFFile(fixture.path))
    #expect(Set(written.names) == Set(wanted.names))
    for tensor in wanted.tensors {
      let found = try written.tensor(tensor.name)
      #expect(found.type == tensor.type && found.shape == tensor.shape, "\(tensor.name)")
      let bytes = written.file.slice(found.offset, found.byteCount).map { Array($0) }
      #expect(bytes == wanted.file.slice(tensor.offset, tensor.byteCount).map { Array($0) }, "\(tensor.name)")
    }
    // Everything that the other writer says is said, but for the dimension that follows from the others.
    for (key, value) in wanted.metadata {
      if case .array(let array) = value {
        if array.elementType == .string {
          #expect(try written.strings(key) == wanted.strings(key), "\(key)")
        } else {
          #expect(try written.integers(key) == wanted.integers(key), "\(key)")
        }
      } else {
        #expect(written.value(key) == value, "\(key)")
      }
    }
  }

  static let goldens = ["tied", "untied", "gpt2", "gptj", "gpt-neox"]

  @Test(arguments: goldens)
  func `a model written in F32 is the same model`(name: String) throws {
    let original = try openCheckpoint("\(Golden.root)/\(name)")
    try original.write(toGGUF: path, as: F32.self)
    let read = try openCheckpoint(path)
    #expect(read.decoder == original.decoder)
    #expect(read.endTokens == original.endTokens)
    for name in original.configuration.layout.names {
      #expect(
        try read.tensors.floats(name).map(\.bitPattern) == original.tensors.floats(name).map(\.bitPattern))
    }
    let first = try readSmallFile(path, limit: 1 << 24)
    try read.write(toGGUF: path, as: F32.self)
    #expect(try readSmallFile(path, limit: 1 << 24) == first, "written again it has the same bytes")
  }

  @Test(arguments: [F16.self, BF16.self, Q8_0.self] as [any WritableEncoding.Type])
  func `matrices are stored as asked, vectors and positions whole`(encoding: any WritableEncoding.Type) throws
  {
    let original = try openCheckpoint("\(Golden.root)/gpt2")
    try original.write(toGGUF: path, as: encoding)
    let file = try GGUFFile(path)
    for tensor in file.tensors {
      let isWhole = tensor.shape.count == 1 || tensor.name == "position_embd.weight"
      let fits = tensor.shape.last.map { $0 % encoding.blockLength == 0 } ?? false
      #expect(tensor.type.name == (isWhole ? "F32" : fits ? encoding.name : "F16"), "\(tensor.name)")
    }
  }

  /// Sizes that are whole blocks, so that every matrix is quantised: transposed (GPT-2), query, key and value apart (GPT-NeoX), pairs
  /// as neighbours (Llama).
  static let wholeBlocks: [JSON] = [
    [
      "model_type": "gpt2", "vocab_size": 7, "n_embd": 64, "n_layer": 1, "n_head": 2, "n_inner": 96,
      "n_positions": 5,
    ],
    [
      "model_type": "gpt_neox", "vocab_size": 7, "hidden_size": 64, "num_hidden_layers": 1,
      "num_attention_heads": 2,
      "intermediate_size": 96, "max_position_embeddings": 5,
    ],
    [
      "model_type": "llama", "vocab_size": 7, "hidden_size": 64, "num_hidden_layers": 1,
      "num_attention_heads": 2,
      "intermediate_size": 96, "max_position_embeddings": 5, "rms_norm_eps": 1e-5,
    ],
  ]

  @Test(arguments: wholeBlocks)
  func `blocks lie along the inputs, whatever the order of the layout`(config: JSON) throws {
    let configuration = try DecoderConfiguration(huggingFace: config)
    var random = TestRandom(state: 8)
    var numbers: [String: [Float]] = [:]
    let outputs = configuration.layout.tensors.map { tensor in
      let values = (0..<tensor.shape.reduce(1, *)).map { _ in random.float() }
      numbers[tensor.name] = values
      return SafeTensorsOutput(name: tensor.name, shape: tensor.shape, dtype: .f32) { emit in
        try values.withUnsafeBytes { try emit($0) }
      }
    }
    let folder = "\(directory.path)/hf"
    try writeModelDirectory(
      folder, configuration: configuration, tensors: outputs, tokenizer: nil, chatTemplate: nil)
    try openCheckpoint(folder).write(toGGUF: path, as: Q8_0.self)
    let read = try openCheckpoint(path)
    for tensor in configuration.layout.tensors {
      let values = try #require(numbers[tensor.name])
      let found = try read.tensors.floats(tensor.name)
      guard try read.tensors.storage(of: tensor.name) == "Q8_0" else {
        #expect(found == values, "\(tensor.name)")
        #expect(tensor.shape.count == 1 || tensor.roles == [.positionEmbedding], "\(tensor.name)")
        continue
      }
      let (rows, columns) = (tensor.shape[0], tensor.shape[1])
      // The numbers of one output, as the layout has them.
      let lines =
        tensor.isTransposed
        ? (0..<columns).map { column in (0..<rows).map { $0 * columns + column } }
        : (0..<rows).map { row in (0..<columns).map { row * columns + $0 } }
      for line in lines {
        #expect(line.map { found[$0] } == Self.quantised(line.map { values[$0] }), "\(tensor.name)")
      }
    }
  }

  private static func quantised(_ numbers: [Float]) -> [Float] {
    let bytes = Q8_0.encode(numbers).bytes
    return [Float](unsafeUninitializedCapacity: numbers.count) { buffer, count in
      bytes.withUnsafeBytes {
        Q8_0.decode($0, into: UnsafeMutableBufferPointer(rebasing: buffer[..<numbers.count]))
      }
      count = numbers.count
    }
  }

  private func written(_ tokenizer: Tokenizer, rows: Int = 0) throws -> Tokenizer {
    var metadata = GGUFMetadataOutput()
    try tokenizer.addGGUFMetadata(rows: rows, to: &metadata)
    try writeGGUF(metadata: metadata, tensors: [], to: path)
    return try #require(try GGUFFile(path).tokenizer())
  }

  @Test(arguments: ["gpt2", "smollm", "llama3"])
  func `a tokenizer comes back as it was`(name: String) throws {
    var json = try #require(try readJSON("\(fixtureDirectory)/tokenizer/\(name).json").objectValue)
    // The fixtures' tokens that take whitespace with them are in few of the texts.
    let taking = (json["added_tokens"]?.arrayValue ?? []).filter {
      $0["lstrip"] == true || $0["rstrip"] == true
    }
    json["added_tokens"] = .array(
      (json["added_tokens"]?.arrayValue ?? []).map {
        Self.changed(Self.changed($0, "lstrip", false), "rstrip", false)
      })
    let tokenizer = try Tokenizer(huggingFace: .object(json))
    let read = try written(tokenizer, rows: tokenizer.count + 5)
    #expect(read.count == tokenizer.count)
    #expect(read.addsBeginToken == tokenizer.addsBeginToken)
    // Read by themselves, they are those of the whole.
    #expect(!read.addedTokens.isEmpty)
    #expect(try openAddedTokens(path) == read.addedTokens)
    let file = "\(fixtureDirectory)/tokenizer/\(name).json"
    #expect(try openAddedTokens(file) == readTokenizer(file).addedTokens)
    let goldens = try TokenizerGoldenTests.goldens(
      "\(fixtureDirectory)/tokenizer/\(name).golden.jsonl", plain: "plain", parsed: "parsed",
      decoded: "decoded")
    for golden in goldens
    where !taking.contains(where: { golden.text.contains($0["content"]?.stringValue ?? "") }) {
      #expect(read.encode(golden.text) == golden.plain, "\(golden.text.debugDescription)")
      #expect(
        read.encode(golden.text, parseSpecial: true, addSpecialTokens: true) == golden.parsed,
        "\(golden.text.debugDescription)")
      #expect(read.decode(golden.parsed, skipSpecial: false).utf8.elementsEqual(golden.decoded.utf8))
    }
  }

  static let unwritable: [(String, @Sendable (inout JSONObject) -> Void, String)] = [
    (
      "pieces",
      {
        $0["pre_tokenizer"] = [
          "type": "Sequence",
          "pretokenizers": [
            ["type": "Digits", "individual_digits": false], ["type": "ByteLevel", "add_prefix_space": false],
          ],
        ]
      }, "runs of digits, then the expression of gpt2 cannot be written: GGUF has no name for it"
    ),
    ("merges ignored", { $0["model"] = changed($0["model"], "ignore_merges", true) }, "with `ignore_merges`"),
    (
      "whitespace taken", { $0["added_tokens"] = added(["lstrip": true]) },
      "`<x>` takes the whitespace beside it"
    ),
    (
      "a word alone", { $0["added_tokens"] = added(["single_word": true]) },
      "`<x>` is found as a word alone"
    ),
    (
      "a space before text",
      { $0["pre_tokenizer"] = ["type": "ByteLevel", "add_prefix_space": true] },
      "a space at the start, then the expression of gpt2 cannot be written"
    ),
    (
      "two passes that meet",
      { $0["added_tokens"] = added(["normalized": true], ["content": ">y", "id": 18, "normalized": false]) },
      "`<x>` is found after `>y`"
    ),
    (
      "a row's name", { $0["added_tokens"] = added(["content": "[PAD20]"]) }, "`[PAD20]` is in the way"
    ),
  ]

  private static func changed(_ object: JSON?, _ key: String, _ value: JSON) -> JSON {
    var members = object?.objectValue ?? JSONObject()
    members[key] = value
    return .object(members)
  }

  /// Tokens after the 17 of the model's vocabulary.
  private static func added(_ changes: JSON...) -> JSON {
    .array(
      changes.map { change in
        var token = JSONObject([
          ("id", 17), ("content", "<x>"), ("single_word", false), ("lstrip", false), ("rstrip", false),
          ("normalized", false), ("special", false),
        ])
        for (key, value) in change.objectValue?.members ?? [] { token[key] = value }
        return .object(token)
      })
  }

  @Test(arguments: unwritable.indices)
  func `what GGUF cannot say of a tokenizer is refused by its part`(index: Int) throws {
    let (name, change, message) = Self.unwritable[index]
    var json = try #require(try readJSON(GGUFFixture(name: "gpt2").directory + "/tokenizer.json").objectValue)
    change(&json)
    let tokenizer = try Tokenizer(huggingFace: .object(json))
    let found = failure { _ = try written(tokenizer, rows: 24) }
    #expect(found?.contains(message) == true, "\(name): \(found ?? "written")")
  }

  @Test func `chat template and plumb.json of a model are kept`() throws {
    var model = TinyModel()
    model.hasTokenizer = false
    model.plumb = ["conditioning": ["a": 1]]
    let folder = "\(directory.path)/hf"
    try model.write(to: folder)
    try File.writeDurably("{{ x }}", to: "\(folder)/chat_template.jinja")
    let original = try openCheckpoint(folder)
    try original.write(toGGUF: path, as: BF16.self)
    let read = try openCheckpoint(path)
    #expect(read.chatTemplate == "{{ x }}" && read.plumb == original.plumb && read.plumb != nil)
    #expect(read.tokenizer == nil)
    #expect(read.decoder == original.decoder)
  }

  private func refusal(_ checkpoint: Checkpoint, as encoding: any WritableEncoding.Type = F32.self) -> String?
  {
    let found = failure { try checkpoint.write(toGGUF: path, as: encoding) }
    let names = (try? File.names(in: directory.path)) ?? []
    #expect(found == nil || !names.contains { $0.hasPrefix("m.gguf") }, "nothing is left")
    return found
  }

  @Test func `what GGUF has no key for is refused by its name`() throws {
    func golden(_ name: String) throws -> Checkpoint { try openCheckpoint("\(Golden.root)/\(name)") }
    var reward = TinyModel()
    reward.head = TinyModel.rewardHead
    try reward.write(to: "\(directory.path)/reward")
    #expect(
      refusal(try openCheckpoint("\(directory.path)/reward"))?.contains(
        "`score.weight`: a reward model cannot")
        == true)
    #expect(try refusal(golden("mistral"))?.contains("`mistral` has no architecture in GGUF") == true)
    for (name, activation) in [
      ("gpt2-own", "gelu"), ("gptj-tied", "gelu"), ("gpt-neox-sequential", "gelu_pytorch_tanh"),
    ] {
      let found = try refusal(golden(name))
      #expect(
        found?.contains("`activation`: `\(activation)` cannot be written") == true, "\(found ?? "written")")
    }
  }

  @Test(
    arguments: [
      ("layer_norm_epsilon", 1.000_000_000_1e-5, "`gpt2.attention.layer_norm_epsilon`: 1.0000000001e-05"),
      ("scale_attn_weights", false, "`scale of the scores`"),
      ("eos_token_id", [1, 2, 3, 4], "`eos_token_id`: 4 end tokens cannot be written"),
    ] as [(String, JSON, String)])
  func `a value that its keys cannot say is refused by its name`(key: String, value: JSON, message: String)
    throws
  {
    let folder = "\(directory.path)/hf"
    try File.makeDirectory(folder)
    try File.writeDurably(try changedConfig("gpt2") { $0[key] = value }.text(), to: "\(folder)/config.json")
    #expect(symlink("\(Golden.root)/gpt2/model.safetensors", "\(folder)/model.safetensors") == 0)
    let found = refusal(try openCheckpoint(folder))
    #expect(found?.contains(message) == true, "\(found ?? "written")")
  }

  /// As programs write 1e-05 after it was in single precision.
  @Test func `an epsilon in all digits of its single precision is written and read as that`() throws {
    let folder = "\(directory.path)/hf"
    try File.makeDirectory(folder)
    try File.writeDurably(
      try changedConfig("gpt2") { $0["layer_norm_epsilon"] = 9.999999747378752e-06 }.text(),
      to: "\(folder)/config.json")
    #expect(symlink("\(Golden.root)/gpt2/model.safetensors", "\(folder)/model.safetensors") == 0)
    let original = try openCheckpoint(folder)
    #expect(original.configuration.norm.epsilon != 1e-5)
    #expect(refusal(original) == nil)
    #expect(try openCheckpoint(path).configuration.norm.epsilon == 1e-5)
    #expect(Float(original.configuration.norm.epsilon) == 1e-5)
  }

  @Test func `a number that the encoding does not hold is refused with its tensor`() throws {
    var model = TinyModel()
    model.hasTokenizer = false
    model.changedWeight = ("model.norm.weight", 70_000)
    try model.write(to: "\(directory.path)/vector")
    #expect(refusal(try openCheckpoint("\(directory.path)/vector"), as: F16.self) == nil, "a vector is F32")
    #expect(unlink(path) == 0)
    model.changedWeight = ("model.embed_tokens.weight", 70_000)
    try model.write(to: "\(directory.path)/hf")
    let found = refusal(try openCheckpoint("\(directory.path)/hf"), as: F16.self)
    #expect(
      found?.contains("tensor `model.embed_tokens.weight`: 70000.0 is beyond the numbers of F16") == true,
      "\(found ?? "written")")
  }
}
