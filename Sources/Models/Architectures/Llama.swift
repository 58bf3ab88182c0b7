// Llama: RMS norm, rotary positions over halves, grouped heads, a gated feed-forward network, no biases.

import JSON

package enum Llama: GGUFFamily {
  package static let modelType = "llama"
  package static let classPrefix = "Llama"

  /// Source: transformers' `LlamaConfig`.
  package static func configuration(_ file: ConfigurationFile) throws -> DecoderConfiguration {
    try configuration(file, family: Llama.self, keyValueHeadCount: file.optionalSize("num_key_value_heads"))
  }

  /// - Parameter keyValueHeadCount: nil for as many as there are heads.
  static func configuration(
    _ file: ConfigurationFile, family: any ModelFamily.Type, keyValueHeadCount: Int?
  ) throws -> DecoderConfiguration {
    try refuseUncomputed(file)
    let hiddenSize = try file.size("hidden_size")
    let headCount = try file.size("num_attention_heads")
    let headDimension: Int
    if let stated = try file.optionalSize("head_dim") {
      headDimension = stated
    } else {
      headDimension = try file.headDimension("hidden_size", hiddenSize, headCount: headCount)
    }
    return decoder(
      family: family, vocabularySize: try file.size("vocab_size"), hiddenSize: hiddenSize,
      layerCount: try file.size("num_hidden_layers"), headCount: headCount,
      keyValueHeadCount: keyValueHeadCount ?? headCount, headDimension: headDimension,
      feedForwardSize: try file.size("intermediate_size"),
      activation: try file.activation("hidden_act", absent: .silu), rotaryBase: try rotaryBase(file),
      normEpsilon: try file.number("rms_norm_eps"),
      tiedEmbeddings: try file.flag("tie_word_embeddings") ?? false,
      contextLength: try file.size("max_position_embeddings"),
      bosTokenID: try file.tokenID("bos_token_id"), eosTokenIDs: try file.tokenIDs("eos_token_id"))
  }

  /// Llama's decoder of these sizes.
  package static func decoder(
    family: any ModelFamily.Type = Llama.self, vocabularySize: Int, hiddenSize: Int, layerCount: Int,
    headCount: Int, keyValueHeadCount: Int, headDimension: Int, feedForwardSize: Int,
    activation: Activation = .silu, rotaryBase: Double, normEpsilon: Double, tiedEmbeddings: Bool,
    contextLength: Int, bosTokenID: Int? = nil, eosTokenIDs: [Int] = []
  ) -> DecoderConfiguration {
    DecoderConfiguration(
      family: family, vocabularySize: vocabularySize, hiddenSize: hiddenSize, layerCount: layerCount,
      headCount: headCount, keyValueHeadCount: keyValueHeadCount, headDimension: headDimension,
      feedForwardSize: feedForwardSize, norm: Norm(kind: .rms, epsilon: normEpsilon),
      positions: .rotary(Rotary(base: rotaryBase, dimension: headDimension)), isGated: true,
      activation: activation, tiedEmbeddings: tiedEmbeddings, contextLength: contextLength,
      bosTokenID: bosTokenID, eosTokenIDs: eosTokenIDs)
  }

  /// `rope_theta`, or `rope_parameters.rope_theta` as transformers 5 writes it; 10000 when neither is there, as there.
  private static func rotaryBase(_ file: ConfigurationFile) throws -> Double {
    let stated = try file.optionalNumber("rope_theta")
    guard let parameters = try file.rotaryParameters("rope_parameters", known: ["rope_theta"]) else {
      return stated ?? 10_000
    }
    let key = "rope_parameters.rope_theta"
    guard let theta = parameters["rope_theta"] else {
      throw ConfigurationError(key, "missing; expected a number")
    }
    guard let number = theta.doubleValue else {
      throw ConfigurationError(key, "expected a number, found \(file.shown(theta))")
    }
    return number
  }

  private static func refuseUncomputed(_ file: ConfigurationFile) throws {
    try file.refuse(true: ["attention_bias", "mlp_bias", "rope_interleaved"])
    _ = try file.rotaryParameters("rope_scaling", known: ["rope_theta"])
    if let factor = file.present("partial_rotary_factor"), factor.doubleValue != 1 {
      throw ConfigurationError("partial_rotary_factor", "\(file.shown(factor)) is not supported; 1 is")
    }
  }

  package static func members(_ configuration: DecoderConfiguration, dtype: String) -> JSONObject {
    precondition(configuration.slidingWindow == nil, "`llama` has no sliding window")
    return sharedMembers(configuration, dtype: dtype)
  }

  /// Those that Mistral has too.
  static func sharedMembers(_ configuration: DecoderConfiguration, dtype: String) -> JSONObject {
    let c = configuration
    guard case .rotary(let rotary) = c.positions else { preconditionFailure("Llama's positions are rotary") }
    return JSONObject([
      ("architectures", [.string(c.family.type.transformersClass(of: c.head))]),
      ("model_type", .string(c.family.type.modelType)),
      ("vocab_size", .int(Int64(c.vocabularySize))),
      ("hidden_size", .int(Int64(c.hiddenSize))),
      ("intermediate_size", .int(Int64(c.feedForwardSize))),
      ("num_hidden_layers", .int(Int64(c.layerCount))),
      ("num_attention_heads", .int(Int64(c.headCount))),
      ("num_key_value_heads", .int(Int64(c.keyValueHeadCount))),
      ("head_dim", .int(Int64(c.headDimension))),
      ("hidden_act", .string(c.activation.rawValue)),
      ("max_position_embeddings", .int(Int64(c.contextLength))),
      ("initializer_range", 0.02),
      ("rms_norm_eps", .double(c.norm.epsilon)),
      ("rope_theta", .double(rotary.base)),
      ("rope_scaling", .null),
      ("attention_bias", false),
      ("attention_dropout", 0.0),
      ("mlp_bias", false),
      ("pretraining_tp", 1),
      ("tie_word_embeddings", .bool(c.tiedEmbeddings)),
      ("bos_token_id", c.bosTokenID.map { .int(Int64($0)) } ?? .null),
      ("eos_token_id", c.endTokensJSON),
      ("use_cache", true),
      ("torch_dtype", .string(dtype)),
    ])
  }

  package static func layout(_ configuration: DecoderConfiguration) -> ParameterLayout {
    var layout = ParameterLayout(configuration)
    layout.add("model.embed_tokens.weight", .tokenEmbedding)
    for layer in 0..<configuration.layerCount {
      func add(_ name: String, _ role: ParameterRole) {
        layout.add("model.layers.\(layer).\(name).weight", role, layer: layer)
      }
      add("input_layernorm", .attentionNorm)
      add("self_attn.q_proj", .weight(.query))
      add("self_attn.k_proj", .weight(.key))
      add("self_attn.v_proj", .weight(.value))
      add("self_attn.o_proj", .weight(.output))
      add("post_attention_layernorm", .feedForwardNorm)
      add("mlp.gate_proj", .weight(.gate))
      add("mlp.up_proj", .weight(.up))
      add("mlp.down_proj", .weight(.down))
    }
    layout.add("model.norm.weight", .finalNorm)
    layout.addHead("lm_head.weight")
    return layout
  }

  /// A tied head is a second name for the embedding; old checkpoints store the rotary frequencies.
  package static func layoutName(ofStored name: String, _ configuration: DecoderConfiguration) -> String? {
    if configuration.tiedEmbeddings, name == "lm_head.weight" { return nil }
    return name.hasSuffix(".rotary_emb.inv_freq") ? nil : name
  }
}
