// Llama in a GGUF file: what the metadata and the tensors are called.

extension Llama {
  package static let ggufArchitecture = "llama"

  package static func ggufName(of tensor: ParameterTensor) -> String {
    guard let layer = tensor.layer else {
      switch tensor.roles {
      case [.tokenEmbedding]: return "token_embd.weight"
      case [.finalNorm]: return "output_norm.weight"
      case [.head]: return "output.weight"
      default: preconditionFailure("Llama has no tensor `\(tensor.name)`")
      }
    }
    let name =
      switch tensor.roles {
      case [.attentionNorm]: "attn_norm"
      case [.weight(.query)]: "attn_q"
      case [.weight(.key)]: "attn_k"
      case [.weight(.value)]: "attn_v"
      case [.weight(.output)]: "attn_output"
      case [.feedForwardNorm]: "ffn_norm"
      case [.weight(.gate)]: "ffn_gate"
      case [.weight(.up)]: "ffn_up"
      case [.weight(.down)]: "ffn_down"
      default: preconditionFailure("Llama has no tensor `\(tensor.name)`")
      }
    return "blk.\(layer).\(name).weight"
  }

  package static func ggufInterleavesHeads(_ tensor: ParameterTensor) -> Bool {
    tensor.roles == [.weight(.query)] || tensor.roles == [.weight(.key)]
  }

  package static func configuration(_ file: GGUFFile) throws -> DecoderConfiguration {
    for (key, value) in file.metadata {
      // Position scaling and experts change the computation.
      if key.utf8.starts(with: "llama.rope.scaling.".utf8), value != .string("none") {
        throw file.failure(key, "scaled rotary positions are not supported")
      }
      if key.utf8.starts(with: "llama.expert".utf8), value != .unsigned(0) {
        throw file.failure(key, "mixtures of experts are not supported")
      }
    }
    let hiddenSize = try file.requiredInteger("llama.embedding_length")
    let headCount = try file.requiredInteger("llama.attention.head_count")
    let headDimension: Int
    if let stated = try file.integer("llama.attention.key_length") {
      headDimension = stated
    } else {
      guard headCount > 0, hiddenSize % headCount == 0 else {
        throw file.failure(
          "llama.attention.head_count", "\(hiddenSize) does not divide evenly over \(headCount) heads")
      }
      headDimension = hiddenSize / headCount
    }
    let embeddings = try file.tensor("token_embd.weight").shape
    let vocabularySize = embeddings.first ?? 0
    if let stated = try file.integer("llama.vocab_size"), stated != vocabularySize {
      throw file.failure("llama.vocab_size", "\(stated), but `token_embd.weight` has \(vocabularySize) rows")
    }
    let configuration = decoder(
      vocabularySize: vocabularySize, hiddenSize: hiddenSize,
      layerCount: try file.requiredInteger("llama.block_count"), headCount: headCount,
      keyValueHeadCount: try file.integer("llama.attention.head_count_kv") ?? headCount,
      headDimension: headDimension,
      feedForwardSize: try file.requiredInteger("llama.feed_forward_length"),
      rotaryBase: try file.number("llama.rope.freq_base") ?? 10_000,
      normEpsilon: try file.requiredNumber("llama.attention.layer_norm_rms_epsilon"),
      tiedEmbeddings: !file.names.contains("output.weight"),
      contextLength: try file.requiredInteger("llama.context_length"),
      bosTokenID: try file.specialTokenID("tokenizer.ggml.bos_token_id", count: vocabularySize),
      eosTokenIDs: try file.endTokens(count: vocabularySize))
    do {
      try configuration.validate(naming: { metadataKeys[$0] ?? $0 })
    } catch let error as ConfigurationError {
      throw file.failure(error.field, error.problem)
    }
    for key in ["llama.attention.value_length", "llama.rope.dimension_count"] {
      if let stated = try file.integer(key), stated != headDimension {
        throw file.failure(key, "\(stated) is not supported; the head dimension, \(headDimension), is")
      }
    }
    return configuration
  }

  /// Where GGUF keeps what `config.json` calls so.
  private static let metadataKeys = [
    "vocab_size": "llama.vocab_size", "hidden_size": "llama.embedding_length",
    "num_hidden_layers": "llama.block_count", "num_attention_heads": "llama.attention.head_count",
    "num_key_value_heads": "llama.attention.head_count_kv", "head_dim": "llama.attention.key_length",
    "intermediate_size": "llama.feed_forward_length", "max_position_embeddings": "llama.context_length",
    "rope_theta": "llama.rope.freq_base", "rms_norm_eps": "llama.attention.layer_norm_rms_epsilon",
  ]
}
