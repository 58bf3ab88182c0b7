// `config.json`: what is wrong is refused by its field, what other versions write is understood.

import Glibc
import JSON
import Models
import System
import TestFolder
import Testing

@Suite struct ConfigurationFileTests {
  let directory = TemporaryFolder()

  @Test(arguments: [
    (
      #""model_type": "llama""#, #""model_type": "gemma""#,
      "`model_type`: `\"gemma\"` is not supported; `llama`"
    ),
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
    (
      #""head_dim": 4"#, #""head_dim": 3"#,
      "`head_dim`: an even head dimension of at most 512 is supported, found 3"
    ),
    (
      #""head_dim": 4"#, #""head_dim": 514"#,
      "`head_dim`: an even head dimension of at most 512 is supported, found 514"
    ),
    (#""head_dim": 4"#, #""head_dim": 0"#, "`head_dim`: expected a positive integer, found `0`"),
    (#""head_dim": 4,"#, #""num_attention_heads": 8,"#, "duplicate key `num_attention_heads`"),
    (#""vocab_size": 12"#, #""vocab_size": 0"#, "`vocab_size`: expected a positive integer, found `0`"),
    (
      #""vocab_size": 12"#, #""vocab_size": 134217729"#,
      "`vocab_size`: expected 1 to 134217728, found 134217729"
    ),
    (#""vocab_size": 12"#, #""vocab_size": 1e30"#, "`vocab_size`: expected a positive integer"),
    (
      #""vocab_size": 12"#, #""vocab_size": 134217728"#,
      "`model.embed_tokens.weight`: the configuration needs"
    ),
    (#""hidden_size": 8"#, #""hidden_size": -8"#, "`hidden_size`: expected a positive integer"),
    (
      #""hidden_size": 8"#, #""hidden_size": 1"#,
      "`model.embed_tokens.weight`: the configuration needs shape [12, 1]"
    ),
    (
      #""hidden_size": 8"#, #""hidden_size": 134217728"#,
      "`model.embed_tokens.weight`: the configuration needs"
    ),
    (
      #""intermediate_size": 6"#, #""intermediate_size": 0"#,
      "`intermediate_size`: expected a positive integer"
    ),
    (
      #""intermediate_size": 6"#, #""intermediate_size": 134217729"#,
      "`intermediate_size`: expected 1 to 134217728, found 134217729"
    ),
    (
      #""num_hidden_layers": 2"#, #""num_hidden_layers": 4097"#,
      "`num_hidden_layers`: expected at most 4096, found 4097"
    ),
    (
      #""num_hidden_layers": 2"#, #""num_hidden_layers": 4096"#,
      "`model.layers.2.input_layernorm.weight`: missing"
    ),
    (
      #""num_attention_heads": 2"#, #""num_attention_heads": 0"#,
      "`num_attention_heads`: expected a positive integer"
    ),
    (
      #""num_attention_heads": 2"#, #""num_attention_heads": 134217728"#,
      "`num_attention_heads`: 134217728 heads of 4 are 536870912 numbers per token; at most 134217728 are possible"
    ),
    (
      #""num_key_value_heads": 1"#, #""num_key_value_heads": 0"#,
      "`num_key_value_heads`: expected a positive integer"
    ),
    (
      #""num_key_value_heads": 1"#, #""num_key_value_heads": 4"#,
      "2 heads do not divide evenly over 4 key-value heads"
    ),
    (
      #""max_position_embeddings": 32"#, #""max_position_embeddings": 0"#,
      "`max_position_embeddings`: expected a positive integer"
    ),
    (
      #""max_position_embeddings": 32"#, #""max_position_embeddings": 134217729"#,
      "`max_position_embeddings`: expected 1 to 134217728, found 134217729"
    ),
    (#""rms_norm_eps": 1e-05"#, #""rms_norm_eps": -1"#, "`rms_norm_eps`: expected 0 or a positive number"),
    (#""rms_norm_eps": 1e-05"#, #""rms_norm_eps": 1e-50"#, "`rms_norm_eps`: expected 0 or a positive number"),
    (#""rms_norm_eps": 1e-05"#, #""rms_norm_eps": 1e-40"#, "`rms_norm_eps`: expected 0 or a positive number"),
    (#""rms_norm_eps": 1e-05"#, #""rms_norm_eps": 1e39"#, "`rms_norm_eps`: expected 0 or a positive number"),
    (#""rope_theta": 5000.0"#, #""rope_theta": 0"#, "`rope_theta`: expected a number of at least 1"),
    (#""rope_theta": 5000.0"#, #""rope_theta": 1e-9"#, "`rope_theta`: expected a number of at least 1"),
    (#""rope_theta": 5000.0"#, #""rope_theta": 1e39"#, "`rope_theta`: expected a number of at least 1"),
    (#""rope_theta": 5000.0"#, #""rope_theta": "x""#, "`rope_theta`: expected a number"),
    (#""rope_scaling": null"#, #""rope_scaling": {"rope_type": "llama3", "factor": 8}"#, "`rope_scaling`"),
    (
      #""rope_scaling": null"#, #""rope_parameters": {"rope_type": "yarn", "rope_theta": 5}"#,
      "`rope_parameters`"
    ),
    (#""attention_bias": false"#, #""attention_bias": true"#, "`attention_bias`: `true` is not supported"),
    (#""mlp_bias": false"#, #""mlp_bias": true"#, "`mlp_bias`"),
    (
      #""hidden_act": "silu""#, #""hidden_act": "relu""#,
      "`hidden_act`: `\"relu\"` is not supported; `silu`, `gelu`, `gelu_pytorch_tanh` are"
    ),
    (#""attention_dropout": 0.0"#, #""attention_dropout": 1.5"#, "`attention_dropout`: expected a rate"),
    (#""attention_dropout": 0.0"#, #""attention_dropout": "x""#, "`attention_dropout`: expected a rate"),
    (#""pretraining_tp": 1"#, #""quantization_config": {"bits": 4}"#, "`quantization_config`"),
    (
      #""tie_word_embeddings": true"#, #""tie_word_embeddings": 1"#,
      "`tie_word_embeddings`: expected a boolean"
    ),
    (#""eos_token_id": 2"#, #""eos_token_id": [2, 12]"#, "token id 12 is outside the vocabulary of 12 rows"),
    (#""bos_token_id": 1"#, #""bos_token_id": 12"#, "`bos_token_id`: token id 12 is outside the vocabulary"),
    (#""bos_token_id": 1"#, #""bos_token_id": [1, 2]"#, "`bos_token_id`: expected a token id, found `[1,2]`"),
    (
      #""eos_token_id": 2"#, #""eos_token_id": [2, -1]"#, "`eos_token_id[1]`: expected a token id, found `-1`"
    ),
    (
      #""rope_scaling": null"#, #""rope_parameters": {"rope_type": "default"}"#,
      "`rope_parameters.rope_theta`: missing; expected a number"
    ),
    (#""eos_token_id": 2"#, #""eos_token_id": "2""#, "`eos_token_id`: expected a token id"),
    (
      #""model_type": "llama""#, #""model_type": "mistral", "sliding_window": 0"#,
      "`sliding_window`: expected"
    ),
    (
      #""model_type": "llama""#, #""model_type": "mistral", "sliding_window": 4294967297"#,
      "`sliding_window`: expected 1 to 134217728, found 4294967297"
    ),
    (
      #""vocab_size": 12"#, #""vocab_size": 13"#,
      "`model.embed_tokens.weight`: the configuration needs shape [13, 8], found [12, 8]"
    ),
    (#""tie_word_embeddings": true"#, #""tie_word_embeddings": false"#, "`lm_head.weight`: missing"),
    (#""hidden_act""#, #""hidden_size": 8, "hidden_act""#, "duplicate key `hidden_size`"),
  ])
  func `a wrong config.json is refused by its field`(find: String, replace: String, message: String) throws {
    let path = try TinyCheckpoint.save(
      try openCheckpoint(try directory.file("m.gguf", TinyCheckpoint.gguf().bytes())), in: directory)
    let text = String(decoding: try readSmallFile("\(path)/config.json", limit: 1 << 20), as: UTF8.self)
    let pieces = text.split(separator: find, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(pieces.count == 2, "\(find) is not in the text")
    try File.writeDurably(pieces[0] + replace + pieces[1], to: "\(path)/config.json")
    let found = failure { _ = try openCheckpoint(path) }
    #expect(found?.contains(message) == true, "\(replace): \(found ?? "accepted")")
  }

  /// No product of two sizes that pass alone leaves what is possible.
  @Test func `sizes whose tensors are too large are refused by the size`() {
    func refusal(_ change: (inout DecoderConfiguration) -> Void) -> String? {
      var configuration = TinyCheckpoint.tiny
      change(&configuration)
      return failure { try configuration.validate() }
    }
    for (name, change) in [
      ("vocab_size", { $0.vocabularySize = 1 << 27 }),
      ("intermediate_size", { $0.feedForwardSize = 1 << 27 }),
      ("num_attention_heads", { $0.headCount = 1 << 25 }),
    ] as [(String, (inout DecoderConfiguration) -> Void)] {
      let found = refusal {
        $0.hiddenSize = 1 << 14
        change(&$0)
      }
      #expect(
        found?.hasPrefix("`\(name)`: needs tensors of shape [134217728, 16384]") == true,
        "\(found ?? "accepted")")
    }
    // The largest of all sizes at once: their sum is still a number.
    var largest = TinyCheckpoint.tiny
    (largest.vocabularySize, largest.feedForwardSize) = (1 << 27, 1 << 27)
    (largest.hiddenSize, largest.layerCount, largest.headCount) = (1 << 13, 4096, 1 << 25)
    largest.keyValueHeadCount = largest.headCount
    #expect(failure { try largest.validate() } == nil)
    #expect(largest.parameterCount > 1 << 40)
  }

  @Test func `what transformers 5 and old files write instead is understood`() throws {
    var object = try #require(TinyCheckpoint.tiny.huggingFaceConfig().objectValue)
    object["rope_theta"] = nil
    object["rope_scaling"] = nil
    object["rope_parameters"] = ["rope_type": "default", "rope_theta": 5000.0]
    object["eos_token_id"] = [2]
    #expect(try DecoderConfiguration(huggingFace: .object(object)) == TinyCheckpoint.tiny)
    object["head_dim"] = nil
    object["is_llama_config"] = true
    object["rope_interleaved"] = false
    var found = try DecoderConfiguration(huggingFace: .object(object))
    #expect(found.carried == ["is_llama_config": true])
    found.carried = [:]
    #expect(found == TinyCheckpoint.tiny)
    object["rope_parameters"] = nil
    #expect(
      try DecoderConfiguration(huggingFace: .object(object)).positions
        == .rotary(Rotary(base: 10_000, dimension: 4)))
  }

  @Test(arguments: [16, nil] as [Int?])
  func `a Mistral model is written as it was read, window and all`(window: Int?) throws {
    let text = window.map { "\($0)" } ?? "null"
    let directory = try mistral("\"sliding_window\": \(text), \"hidden_act\": \"gelu_new\"")
    let checkpoint = try openCheckpoint(directory)
    #expect(checkpoint.configuration.family == FamilyReference(Mistral.self))
    #expect(checkpoint.configuration.slidingWindow == window)
    #expect(checkpoint.configuration.activation == .geluTanh)
    #expect(try inspect(directory).contains("sliding window: \(window.map { "\($0) tokens" } ?? "none")"))
    let written = checkpoint.configuration.huggingFaceConfig()
    #expect(written["architectures"] == ["MistralForCausalLM"])
    #expect(written["sliding_window"] == window.map { .int(Int64($0)) } ?? .null)
    #expect(written["hidden_act"] == "gelu_pytorch_tanh")
    #expect(try DecoderConfiguration(huggingFace: written) == checkpoint.configuration)
  }

  /// Source: transformers' `MistralConfig`.
  @Test func `what a Mistral file leaves out is what transformers takes`() throws {
    var object = try #require(try readJSON("\(Golden.root)/mistral/config.json").objectValue)
    object["sliding_window"] = nil
    object["num_key_value_heads"] = nil
    object["num_attention_heads"] = 16
    let configuration = try DecoderConfiguration(huggingFace: .object(object))
    #expect(configuration.slidingWindow == 4096 && configuration.keyValueHeadCount == 8)
    object["model_type"] = "llama"
    let llama = try DecoderConfiguration(huggingFace: .object(object))
    #expect(llama.slidingWindow == nil && llama.keyValueHeadCount == 16)
  }

  /// A directory like the golden one, with other words for its window.
  private func mistral(_ window: String) throws -> String {
    let golden = "\(Golden.root)/mistral"
    let config = String(decoding: try readSmallFile("\(golden)/config.json", limit: 1 << 20), as: UTF8.self)
    let lines = config.split(separator: "\n").filter { !$0.contains("hidden_act") }
    let changed = lines.map { $0.contains("sliding_window") ? "\(window)," : String($0) }
    try directory.file("config.json", changed.joined(separator: "\n"))
    _ = symlink("\(golden)/model.safetensors", "\(directory.path)/model.safetensors")
    return directory.path
  }
}
