// A model of two tiny layers as llama.cpp's converter and as Plumb write it: what the tests of formats open and damage.

import JSON
import Models
import TestFolder

enum TinyCheckpoint {
  static let tiny = Llama.decoder(
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
    return tiny.layout.tensors.map { tensor in
      (tensor.name, tensor.shape, (0..<tensor.shape.reduce(1, *)).map { _ in random.float() })
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
    for (name, shape, values) in values() {
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

  static func without(_ key: String, _ builder: inout GGUFBuilder) {
    builder.entries.removeAll { $0.starts(with: GGUFBuilder.text(key)) }
  }

  /// Writes the checkpoint as a Hugging Face directory and returns its path.
  static func save(_ checkpoint: Checkpoint, in directory: TemporaryFolder) throws -> String {
    let path = "\(directory.path)/hf"
    let outputs = checkpoint.configuration.layout.tensors.map { tensor in
      let (name, shape) = (tensor.name, tensor.shape)
      return SafeTensorsOutput(name: name, shape: shape, dtype: .f32) { emit in
        try checkpoint.tensors.floats(name).withUnsafeBytes { try emit($0) }
      }
    }
    try writeModelDirectory(
      path, configuration: checkpoint.configuration, tensors: outputs, tokenizer: checkpoint.tokenizer,
      chatTemplate: checkpoint.chatTemplate, plumb: ["conditioning": [:]])
    return path
  }
}
