// GPT-NeoX and Pythia: rotary positions over halves of a part of each head, both branches at once on two norms, biases.

import JSON

package enum GPTNeoX: ModelFamily {
  package static let modelType = "gpt_neox"
  package static let classPrefix = "GPTNeoX"

  package static let fieldNames = [
    "num_key_value_heads": "num_attention_heads", "head_dim": "hidden_size", "rotary_dim": "rotary_pct",
    "rope_theta": "rotary_emb_base", "rms_norm_eps": "layer_norm_eps",
  ]

  /// Source: transformers' `GPTNeoXConfig` and `GPTNeoXAttention`.
  package static func configuration(_ file: ConfigurationFile) throws -> DecoderConfiguration {
    let hiddenSize = try file.size("hidden_size")
    let headCount = try file.size("num_attention_heads")
    let headDimension = try file.headDimension("hidden_size", hiddenSize, headCount: headCount)
    var configuration = DecoderConfiguration(
      family: GPTNeoX.self, vocabularySize: try file.size("vocab_size"), hiddenSize: hiddenSize,
      layerCount: try file.size("num_hidden_layers"), headCount: headCount, keyValueHeadCount: headCount,
      headDimension: headDimension, feedForwardSize: try file.size("intermediate_size"),
      norm: Norm(kind: .layer, epsilon: try file.optionalNumber("layer_norm_eps") ?? 1e-5),
      positions: .rotary(try rotary(file, headDimension: headDimension)), isGated: false,
      activation: try file.activation("hidden_act", absent: .gelu),
      tiedEmbeddings: try file.flag("tie_word_embeddings") ?? false,
      contextLength: try file.size("max_position_embeddings"),
      bosTokenID: try file.tokenID("bos_token_id"), eosTokenIDs: try file.tokenIDs("eos_token_id"))
    if try file.flag("use_parallel_residual") ?? true {
      configuration.residual = .parallel(sharesNorm: false)
    }
    configuration.hasAttentionBiases = try file.flag("attention_bias") ?? true
    return configuration
  }

  /// `rotary_emb_base` and `rotary_pct`, or what `rope_parameters` says of them as transformers 5 writes it. Older versions write
  /// `rope_theta` and `partial_rotary_factor` beside them, which the newer ignore.
  private static func rotary(_ file: ConfigurationFile, headDimension: Int) throws -> Rotary {
    let known: Set<String> = ["rope_theta", "partial_rotary_factor"]
    var base = (key: "rotary_emb_base", value: try file.optionalNumber("rotary_emb_base") ?? 10_000)
    var share = (key: "rotary_pct", value: try file.optionalNumber("rotary_pct") ?? 0.25)
    for key in ["rope_parameters", "rope_scaling"] {
      guard let parameters = try file.rotaryParameters(key, known: known) else { continue }
      func number(_ member: String) throws -> Double? {
        guard let value = parameters[member] else { return nil }
        guard let number = value.doubleValue else {
          throw ConfigurationError("\(key).\(member)", "expected a number, found \(file.shown(value))")
        }
        return number
      }
      if let theta = try number("rope_theta") { base = ("\(key).rope_theta", theta) }
      if let factor = try number("partial_rotary_factor") { share = ("\(key).partial_rotary_factor", factor) }
    }
    for (key, used) in [("rope_theta", base), ("partial_rotary_factor", share)] {
      guard let stated = try file.optionalNumber(key), stated != used.value else { continue }
      throw ConfigurationError(key, "\(stated) is not `\(used.key)`, \(used.value)")
    }
    guard share.value > 0, share.value <= 1 else {
      throw ConfigurationError(
        share.key, "expected a part of each head, more than 0 and at most 1, found \(share.value)")
    }
    return Rotary(base: base.value, dimension: Int(Double(headDimension) * share.value))
  }

  package static func members(_ configuration: DecoderConfiguration, dtype: String) -> JSONObject {
    let c = configuration
    precondition(c.slidingWindow == nil, "`gpt_neox` has no sliding window")
    guard case .rotary(let rotary) = c.positions, rotary.pairs == .halves else {
      preconditionFailure("`gpt_neox` has no positions \(c.positions)")
    }
    return JSONObject([
      ("architectures", [.string(transformersClass(of: c.head))]),
      ("model_type", .string(modelType)),
      ("vocab_size", .int(Int64(c.vocabularySize))),
      ("hidden_size", .int(Int64(c.hiddenSize))),
      ("num_hidden_layers", .int(Int64(c.layerCount))),
      ("num_attention_heads", .int(Int64(c.headCount))),
      ("intermediate_size", .int(Int64(c.feedForwardSize))),
      ("hidden_act", .string(c.activation.olderName)),
      ("max_position_embeddings", .int(Int64(c.contextLength))),
      ("layer_norm_eps", .double(c.norm.epsilon)),
      ("rotary_pct", .double(share(of: rotary.dimension, in: c.headDimension))),
      ("rotary_emb_base", .double(rotary.base)),
      ("use_parallel_residual", .bool(c.residual != .sequential)),
      ("attention_bias", .bool(c.hasAttentionBiases ?? true)),
      ("tie_word_embeddings", .bool(c.tiedEmbeddings)),
      ("bos_token_id", c.bosTokenID.map { .int(Int64($0)) } ?? .null),
      ("eos_token_id", c.endTokensJSON),
      ("torch_dtype", .string(dtype)),
    ])
  }

  /// The number that, times the head dimension and cut to an integer, gives the dimension that turns.
  private static func share(of dimension: Int, in headDimension: Int) -> Double {
    let share = Double(dimension) / Double(headDimension)
    return Int(Double(headDimension) * share) == dimension ? share : share.nextUp
  }

  /// Query, key and value of each head lie one after the other: [heads, 3, D] outputs.
  package static func layout(_ configuration: DecoderConfiguration) -> ParameterLayout {
    var layout = ParameterLayout(configuration)
    layout.add("gpt_neox.embed_in.weight", .tokenEmbedding)
    for layer in 0..<configuration.layerCount {
      let block = "gpt_neox.layers.\(layer)."
      func add(_ name: String, _ role: ParameterRole) { layout.add(block + name, role, layer: layer) }
      add("input_layernorm.weight", .attentionNorm)
      add("input_layernorm.bias", .attentionNormBias)
      add("post_attention_layernorm.weight", .feedForwardNorm)
      add("post_attention_layernorm.bias", .feedForwardNormBias)
      layout.add(
        block + "attention.query_key_value.weight", .weight(.query), .weight(.key), .weight(.value),
        layer: layer, interleavesHeads: true)
      if configuration.hasAttentionBiases != false {
        layout.add(
          block + "attention.query_key_value.bias", .bias(.query), .bias(.key), .bias(.value), layer: layer,
          interleavesHeads: true)
      }
      add("attention.dense.weight", .weight(.output))
      if configuration.hasAttentionBiases != false { add("attention.dense.bias", .bias(.output)) }
      add("mlp.dense_h_to_4h.weight", .weight(.up))
      add("mlp.dense_h_to_4h.bias", .bias(.up))
      add("mlp.dense_4h_to_h.weight", .weight(.down))
      add("mlp.dense_4h_to_h.bias", .bias(.down))
    }
    layout.add("gpt_neox.final_layer_norm.weight", .finalNorm)
    layout.add("gpt_neox.final_layer_norm.bias", .finalNormBias)
    layout.addHead(head)
    return layout
  }

  /// transformers 5 calls it `lm_head.weight`, but writes the older name.
  private static let head = "embed_out.weight"

  /// Files of the decoder without its head have names without `gpt_neox.`. Old ones store the causal mask and the rotary
  /// frequencies.
  package static func layoutName(ofStored name: String, _ configuration: DecoderConfiguration) -> String? {
    if name == head || name == "lm_head.weight" { return configuration.tiedEmbeddings ? nil : head }
    let full = name.hasPrefix("gpt_neox.") ? name : "gpt_neox." + name
    let buffers = [".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"]
    return full.hasPrefix("gpt_neox.layers.") && buffers.contains(where: full.hasSuffix) ? nil : full
  }
}
