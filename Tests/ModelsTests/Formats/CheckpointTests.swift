import Glibc
import JSON
import Models
import Testing

@Suite struct CheckpointTests {
  let directory = TemporaryDirectory()

  static let tiny = DecoderConfiguration(
    vocabularySize: 12, hiddenSize: 8, layerCount: 2, headCount: 2, keyValueHeadCount: 1, headDimension: 4,
    feedForwardSize: 6, rotaryBase: 5000, normEpsilon: 1e-5, tiedEmbeddings: true, contextLength: 32,
    bosTokenID: 1,
    eosTokenIDs: [2])

  static let ggufNames = [
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
  ]

  /// The tensors of `tiny` under Hugging Face names, every value its own.
  static func values() -> [(name: String, shape: [Int], values: [Float])] {
    var random = TestRandom(state: 5)
    return tiny.tensorShapes.map { name, shape in
      (name, shape, (0..<shape.reduce(1, *)).map { _ in random.float() })
    }
  }

  /// `tiny` as llama.cpp's converter would write it, with the rows of q and k interleaved.
  static func gguf(tokenizer: Bool = true, change: (inout GGUFBuilder) -> Void = { _ in }) -> GGUFBuilder {
    var builder = GGUFBuilder()
    builder.add("general.architecture", "llama")
    builder.add("llama.block_count", UInt32(2))
    builder.add("llama.context_length", UInt32(32))
    builder.add("llama.embedding_length", UInt32(8))
    builder.add("llama.feed_forward_length", UInt32(6))
    builder.add("llama.attention.head_count", UInt32(2))
    builder.add("llama.attention.head_count_kv", UInt32(1))
    builder.add("llama.rope.freq_base", Float(5000))
    builder.add("llama.attention.layer_norm_rms_epsilon", Float(1e-5))
    builder.add("llama.vocab_size", UInt32(12))
    builder.add("llama.rope.dimension_count", UInt32(4))
    if tokenizer {
      builder.add("tokenizer.ggml.model", "gpt2")
      builder.add("tokenizer.ggml.pre", "smollm")
      builder.add("tokenizer.ggml.tokens", ["<u>", "<s>", "</s>", "a", "b", "c", "ab", "Ġ", "Ġa"])
      builder.add("tokenizer.ggml.token_type", [3, 3, 3, 1, 1, 1, 1, 1, 1])
      builder.add("tokenizer.ggml.merges", ["a b", "Ġ a"])
    }
    builder.add("tokenizer.ggml.bos_token_id", UInt32(1))
    builder.add("tokenizer.ggml.eos_token_id", UInt32(2))
    builder.add("tokenizer.chat_template", "{{ messages }}")
    for (name, shape, values) in Self.values() {
      let rows =
        name.contains("q_proj") || name.contains("k_proj") ? interleaved(values, shape, dimension: 4) : values
      builder.tensor(ggufName(name), shape: shape, rows)
    }
    change(&builder)
    return builder
  }

  static func ggufName(_ name: String) -> String {
    switch name {
    case "model.embed_tokens.weight": return "token_embd.weight"
    case "model.norm.weight": return "output_norm.weight"
    default:
      let parts = name.split(separator: ".")
      return "blk.\(parts[2]).\(ggufNames[parts[3..<(parts.count - 1)].joined(separator: ".")] ?? "?").weight"
    }
  }

  /// `reshape(heads, 2, D/2, columns).swapaxes(1, 2)`, as llama.cpp's `permute` does.
  static func interleaved(_ values: [Float], _ shape: [Int], dimension: Int) -> [Float] {
    var result: [Float] = []
    for head in 0..<(shape[0] / dimension) {
      for pair in 0..<(dimension / 2) {
        for half in 0..<2 {
          let row = head * dimension + half * dimension / 2 + pair
          result += values[(row * shape[1])..<((row + 1) * shape[1])]
        }
      }
    }
    return result
  }

  @Test func `a GGUF file is read under Hugging Face names, its rotary rows put back`() throws {
    let checkpoint = try openCheckpoint(try directory.file("m.gguf", Self.gguf().bytes()))
    #expect(checkpoint.configuration == Self.tiny)
    #expect(checkpoint.chatTemplate == "{{ messages }}")
    for (name, shape, values) in Self.values() {
      #expect(try checkpoint.tensors.shape(of: name) == shape)
      #expect(try checkpoint.tensors.floats(name) == values, "\(name)")
    }
    let tokenizer = try checkpoint.requireTokenizer()
    #expect(tokenizer.encode("ab a") == [6, 8])
    #expect(tokenizer.encode("</s>ab", parseSpecial: true) == [2, 6])
    #expect(tokenizer.endToken == 2)
    #expect(try checkpoint.nonFiniteCounts().isEmpty)
  }

  /// Writes the checkpoint as a Hugging Face directory and returns its path.
  private func save(_ checkpoint: Checkpoint) throws -> String {
    let path = "\(directory.path)/hf"
    let outputs = checkpoint.configuration.tensorShapes.map { name, shape in
      SafeTensorsOutput(name: name, shape: shape, dtype: .f32) { emit in
        try checkpoint.tensors.floats(name).withUnsafeBytes { try emit($0) }
      }
    }
    try writeModelDirectory(
      path, configuration: checkpoint.configuration, tensors: outputs, tokenizer: checkpoint.tokenizer,
      chatTemplate: checkpoint.chatTemplate, plumb: ["conditioning": [:]])
    return path
  }

  @Test func `a model written as a directory opens as the same model`() throws {
    let original = try openCheckpoint(try directory.file("m.gguf", Self.gguf().bytes()))
    let path = try save(original)
    let again = try openCheckpoint(path)
    #expect(again.configuration == original.configuration)
    #expect(again.chatTemplate == original.chatTemplate)
    #expect(again.plumb?["conditioning"] != nil)
    for name in original.tensors.names {
      #expect(try again.tensors.floats(name) == original.tensors.floats(name))
    }
    let (a, b) = (try original.requireTokenizer(), try again.requireTokenizer())
    for text in ["ab a", "abc<s>", " a  ab"] { #expect(a.encode(text) == b.encode(text)) }
    #expect(b.beginToken == 1 && b.endToken == 2)
    #expect(try inspect(path).contains("tensors: 20"))
    unlink("\(path)/plumb.json")
    #expect(try openCheckpoint(path).plumb.map(\.kind) == nil)
    #expect(try !inspect(path).contains { $0.hasPrefix("plumb.json") })
  }

  @Test func `values that are not finite are counted by tensor`() throws {
    let builder = Self.gguf { builder in
      builder.tensors[0].data.replaceSubrange(4..<8, with: littleEndian(Float.nan.bitPattern))
      builder.tensors[0].data.replaceSubrange(8..<12, with: littleEndian(Float.infinity.bitPattern))
    }
    let counts = try openCheckpoint(try directory.file("m.gguf", builder.bytes())).nonFiniteCounts()
    #expect(counts.map { "\($0.name) \($0.count)" } == ["model.embed_tokens.weight 2"])
  }

  static func without(_ key: String, _ builder: inout GGUFBuilder) {
    builder.entries.removeAll { $0.starts(with: GGUFBuilder.text(key)) }
  }

  static let wrong: [(String, @Sendable (inout GGUFBuilder) -> Void, String)] = [
    (
      "architecture",
      {
        without("general.architecture", &$0)
        $0.add("general.architecture", "gemma")
      }, "`gemma` is not supported; `llama` is"
    ),
    ("no architecture", { without("general.architecture", &$0) }, "`general.architecture`: missing"),
    (
      "missing key", { without("llama.block_count", &$0) },
      "`llama.block_count`: expected an integer, but the key is missing"
    ),
    (
      "wrong type",
      {
        without("llama.block_count", &$0)
        $0.add("llama.block_count", "2")
      }, "expected an integer, found a string"
    ),
    (
      "zero layers",
      {
        without("llama.block_count", &$0)
        $0.add("llama.block_count", UInt32(0))
      }, "`llama.block_count`: expected 1"
    ),
    (
      "2^32-1 layers",
      {
        without("llama.block_count", &$0)
        $0.add("llama.block_count", UInt32.max)
      }, "`llama.block_count`: expected 1"
    ),
    (
      "5000 layers",
      {
        without("llama.block_count", &$0)
        $0.add("llama.block_count", UInt32(5000))
      }, "expected at most 4096"
    ),
    (
      "more layers",
      {
        without("llama.block_count", &$0)
        $0.add("llama.block_count", UInt32(3))
      }, "`model.layers.2.input_layernorm.weight`: missing; the configuration calls for it with shape [8]"
    ),
    (
      "fewer layers",
      {
        without("llama.block_count", &$0)
        $0.add("llama.block_count", UInt32(1))
      }, "tensor `blk.1.attn_norm.weight`"
    ),
    (
      "zero heads",
      {
        without("llama.attention.head_count", &$0)
        $0.add("llama.attention.head_count", UInt32(0))
      }, "does not divide evenly over 0 heads"
    ),
    (
      "uneven groups",
      {
        without("llama.attention.head_count_kv", &$0)
        $0.add("llama.attention.head_count_kv", UInt32(3))
      }, "do not divide evenly over 3"
    ),
    (
      "rotary part",
      {
        without("llama.rope.dimension_count", &$0)
        $0.add("llama.rope.dimension_count", UInt32(2))
      }, "2 is not supported; the head dimension, 4, is"
    ),
    (
      "scaled positions", { $0.add("llama.rope.scaling.type", "linear") },
      "scaled rotary positions are not supported"
    ),
    ("experts", { $0.add("llama.expert_count", UInt32(8)) }, "mixtures of experts are not supported"),
    (
      "vocabulary size",
      {
        without("llama.vocab_size", &$0)
        $0.add("llama.vocab_size", UInt32(13))
      }, "13, but `token_embd.weight` has 12 rows"
    ),
    (
      "end token outside",
      {
        without("tokenizer.ggml.eos_token_id", &$0)
        $0.add("tokenizer.ggml.eos_token_id", UInt32(9))
      }, "token id 9 is outside the vocabulary of 9"
    ),
    (
      "unknown tensor", { $0.tensor("blk.0.attn_q.bias", shape: [8], [Float](repeating: 0, count: 8)) },
      "tensor `blk.0.attn_q.bias`"
    ),
    ("rope factors", { $0.tensor("rope_freqs.weight", shape: [2], [1, 1]) }, "tensor `rope_freqs.weight`"),
    ("missing tensor", { $0.tensors.removeLast() }, "`model.norm.weight`: missing"),
    (
      "wrong shape",
      {
        $0.tensors[1].dimensions = [4]
        $0.tensors[1].data = [UInt8](repeating: 0, count: 16)
      }, "calls for shape [8], found [4]"
    ),
    ("transposed", { $0.tensors[7].dimensions = [6, 8] }, "calls for shape [6, 8], found [8, 6]"),
    ("flat query", { $0.tensors[2].dimensions = [64] }, "calls for shape [8, 8], found [64]"),
    (
      "untied", { $0.tensor("output.weight", shape: [2, 2], [0, 0, 0, 0]) },
      "`lm_head.weight`: the configuration calls for shape [12, 8], found [2, 2]"
    ),
    (
      "undecodable",
      {
        $0.tensors[0].type = 24
        $0.tensors[0].data = [UInt8](repeating: 0, count: 96)
      }, "stored as I8, which is not read"
    ),
    (
      "other tokenizer",
      {
        without("tokenizer.ggml.model", &$0)
        $0.add("tokenizer.ggml.model", "llama")
      }, "`llama` is not supported; `gpt2`"
    ),
    (
      "other pre-tokenizer",
      {
        without("tokenizer.ggml.pre", &$0)
        $0.add("tokenizer.ggml.pre", "qwen2")
      }, "`tokenizer.ggml.pre`: `qwen2` is not supported"
    ),
    ("no pre-tokenizer", { without("tokenizer.ggml.pre", &$0) }, "a missing pre-tokenizer is not supported"),
    ("no merges", { without("tokenizer.ggml.merges", &$0) }, "`tokenizer.ggml.merges`"),
    (
      "bad merge",
      {
        without("tokenizer.ggml.merges", &$0)
        $0.add("tokenizer.ggml.merges", ["a b", "ab"])
      }, "entry 1, `ab`: expected two tokens"
    ),
    (
      "unknown merge",
      {
        without("tokenizer.ggml.merges", &$0)
        $0.add("tokenizer.ggml.merges", ["a c"])
      }, "`tokenizer.ggml.merges[0]`: the token `ac` is not in the vocabulary"
    ),
    (
      "types short",
      {
        without("tokenizer.ggml.token_type", &$0)
        $0.add("tokenizer.ggml.token_type", [3])
      }, "1 types for 9 tokens"
    ),
    (
      "type 6",
      {
        without("tokenizer.ggml.token_type", &$0)
        $0.add("tokenizer.ggml.token_type", [3, 3, 3, 1, 1, 6, 1, 1, 1])
      }, "entry 5 is 6"
    ),
    (
      "token twice",
      {
        without("tokenizer.ggml.tokens", &$0)
        $0.add("tokenizer.ggml.tokens", ["<u>", "<s>", "</s>", "a", "b", "a", "ab", "Ġ", "Ġa"])
      }, "`tokenizer.ggml.tokens[5]`: the token `a` appears twice"
    ),
    (
      "too many tokens",
      {
        without("tokenizer.ggml.tokens", &$0)
        without("tokenizer.ggml.token_type", &$0)
        $0.add(
          "tokenizer.ggml.tokens", ["<u>", "<s>", "</s>", "a", "b", "c", "ab", "Ġ", "Ġa", "1", "2", "3", "4"])
      }, "the tokenizer has 13 tokens, but the embedding has only 12 rows"
    ),
    (
      "prefix space", { $0.add("tokenizer.ggml.add_space_prefix", true) }, "`tokenizer.ggml.add_space_prefix`"
    ),
  ]

  @Test(arguments: wrong.indices)
  func `a GGUF model that does not fit itself is refused`(index: Int) throws {
    let (name, change, message) = Self.wrong[index]
    let path = try directory.file("m.gguf", Self.gguf(change: change).bytes())
    let found = failure { _ = try openCheckpoint(path) }
    #expect(found?.contains(message) == true, "\(name): \(found ?? "accepted")")
    #expect(found?.contains(path) == true, "\(name): the file is named")
  }

  @Test(arguments: [
    (#""model_type": "llama""#, #""model_type": "gpt2""#, "`model_type`: \"gpt2\" is not supported"),
    (#""model_type": "llama","#, "", "`model_type`: missing"),
    (#""hidden_size": 8,"#, "", "`hidden_size`: missing; expected a positive integer"),
    (
      #""hidden_size": 8"#, #""hidden_size": "8""#,
      "`hidden_size`: expected a positive integer, found `\"8\"`"
    ),
    (#""hidden_size": 8"#, #""hidden_size": 8.5"#, "`hidden_size`: expected a positive integer"),
    (#""hidden_size": 8"#, #""hidden_size": 9223372036854775807"#, "`hidden_size`: expected 1 to"),
    (
      #""num_hidden_layers": 2"#, #""num_hidden_layers": -2"#,
      "`num_hidden_layers`: expected a positive integer"
    ),
    (#""num_key_value_heads": 1"#, #""num_key_value_heads": 3"#, "`num_key_value_heads`"),
    (#""head_dim": 4"#, #""head_dim": 3"#, "`head_dim`: rotary positions need an even head dimension"),
    (#""rope_theta": 5000.0"#, #""rope_theta": 0"#, "`rope_theta`: expected a positive number"),
    (#""rope_theta": 5000.0"#, #""rope_theta": "x""#, "`rope_theta`: expected a number"),
    (#""rope_scaling": null"#, #""rope_scaling": {"rope_type": "llama3", "factor": 8}"#, "`rope_scaling`"),
    (
      #""rope_scaling": null"#, #""rope_parameters": {"rope_type": "yarn", "rope_theta": 5}"#,
      "`rope_parameters`"
    ),
    (#""attention_bias": false"#, #""attention_bias": true"#, "`attention_bias`: `true` is not supported"),
    (#""mlp_bias": false"#, #""mlp_bias": true"#, "`mlp_bias`"),
    (
      #""hidden_act": "silu""#, #""hidden_act": "gelu""#,
      "`hidden_act`: `\"gelu\"` is not supported; `silu` is"
    ),
    (#""attention_dropout": 0.0"#, #""attention_dropout": 0.1"#, "`attention_dropout`"),
    (#""pretraining_tp": 1"#, #""quantization_config": {"bits": 4}"#, "`quantization_config`"),
    (
      #""tie_word_embeddings": true"#, #""tie_word_embeddings": 1"#,
      "`tie_word_embeddings`: expected a boolean"
    ),
    (#""eos_token_id": 2"#, #""eos_token_id": [2, 12]"#, "token id 12 is outside the vocabulary of 12 rows"),
    (#""eos_token_id": 2"#, #""eos_token_id": "2""#, "`eos_token_id`: expected a token id"),
    (
      #""vocab_size": 12"#, #""vocab_size": 13"#,
      "`model.embed_tokens.weight`: the configuration calls for shape [13, 8], found [12, 8]"
    ),
    (#""tie_word_embeddings": true"#, #""tie_word_embeddings": false"#, "`lm_head.weight`: missing"),
    (#""hidden_act""#, #""hidden_size": 8, "hidden_act""#, "duplicate key `hidden_size`"),
  ])
  func `a wrong config.json is refused by its field`(find: String, replace: String, message: String) throws {
    let path = try save(try openCheckpoint(try directory.file("m.gguf", Self.gguf().bytes())))
    let text = String(decoding: try readSmallFile("\(path)/config.json", limit: 1 << 20), as: UTF8.self)
    let pieces = text.split(separator: find, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(pieces.count == 2, "\(find) is not in the text")
    try writeFile("\(path)/config.json", pieces[0] + replace + pieces[1])
    let found = failure { _ = try openCheckpoint(path) }
    #expect(found?.contains(message) == true, "\(replace): \(found ?? "accepted")")
  }

  @Test func `what transformers 5 and old files write instead is understood`() throws {
    var object = try #require(Self.tiny.huggingFaceConfig().objectValue)
    object["rope_theta"] = nil
    object["rope_scaling"] = nil
    object["rope_parameters"] = ["rope_type": "default", "rope_theta": 5000.0]
    object["eos_token_id"] = [2]
    #expect(try DecoderConfiguration(huggingFace: .object(object)) == Self.tiny)
    object["head_dim"] = nil
    object["is_llama_config"] = true
    object["rope_interleaved"] = false
    #expect(try DecoderConfiguration(huggingFace: .object(object)) == Self.tiny)
    object["rope_parameters"] = nil
    #expect(try DecoderConfiguration(huggingFace: .object(object)).rotaryBase == 10_000)
  }

  @Test func `a directory without weights, or with a pickle, says so`() throws {
    try directory.file("config.json", Self.tiny.huggingFaceConfig().text())
    #expect(failure { _ = try openCheckpoint(directory.path) }?.contains("found neither") == true)
    try directory.file("pytorch_model.bin", "x")
    #expect(failure { _ = try openCheckpoint(directory.path) }?.contains("a Python pickle") == true)
    let empty = TemporaryDirectory()
    #expect(failure { _ = try openCheckpoint(empty.path) }?.contains("it has no `config.json`") == true)
    #expect(
      failure { _ = try openCheckpoint("/nonexistent") }
        == "cannot open `/nonexistent`: no such file or directory")
  }

  @Test func `inspect tells kind, metadata, tensors and the sum`() throws {
    let gguf = try inspect(try directory.file("m.gguf", Self.gguf().bytes()))
    #expect(gguf.first == "kind: GGUF version 3, alignment 32")
    #expect(gguf.contains("  general.architecture = `llama`"))
    #expect(gguf.contains("  tokenizer.ggml.merges = 2 of string: `a b`, `Ġ a`"))
    #expect(gguf.contains("  token_embd.weight         F32  [12, 8]  384 bytes"))
    #expect(gguf.last == "parameters: \(Self.tiny.parameterCount)")
    let tokenizer = try inspect("\(fixtureDirectory)/tokenizer/smollm.json")
    #expect(tokenizer.starts(with: ["kind: Hugging Face tokenizer", "model: byte-level BPE", "tokens: 485"]))
    #expect(tokenizer.contains("pre-tokenizer: digits one by one, then the expression of gpt2"))
    #expect(tokenizer.contains("  1 `<|im_start|>` special"))
    let config = try directory.file("config.json", Self.tiny.huggingFaceConfig().text())
    #expect(try inspect(config).contains("heads: 2 of 4, 1 for keys and values"))
    let other = try directory.file("other", "hello")
    #expect(
      failure { _ = try inspect(other) }?.contains("found something else: it begins with 68 65 6c 6c 6f")
        == true)
  }

  @Test(.enabled(if: smolLM2Path != nil, "SmolLM2 is not in the model cache"))
  func `SmolLM2 opens and encodes as its authors' tokenizer does`() throws {
    let checkpoint = try openCheckpoint(try #require(smolLM2Path))
    #expect(checkpoint.configuration.parameterCount == 134_515_008)
    #expect(try checkpoint.nonFiniteCounts().isEmpty)
    let tokenizer = try checkpoint.requireTokenizer()
    let again = try Tokenizer(huggingFace: tokenizer.huggingFaceJSON())
    let goldens = try TokenizerGoldenTests.goldens(
      "\(fixtureDirectory)/tokenizer/smollm2.golden.jsonl", plain: "plain", parsed: "parsed",
      decoded: "decoded")
    for golden in goldens {
      for tokenizer in [tokenizer, again] {
        #expect(tokenizer.encode(golden.text) == golden.plain, "\(golden.text.debugDescription)")
        #expect(
          tokenizer.encode(golden.text, parseSpecial: true) == golden.parsed,
          "\(golden.text.debugDescription)")
        #expect(tokenizer.decode(golden.parsed, skipSpecial: false).utf8.elementsEqual(golden.decoded.utf8))
      }
    }
  }
}
