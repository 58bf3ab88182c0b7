// GPT-2: learned positions, layer norm, a plain feed-forward network, biases everywhere, a tied head.

import JSON

package enum GPT2: ModelFamily {
  package static let modelType = "gpt2"
  package static let classPrefix = "GPT2"
  package static let languageModelClass = "GPT2LMHeadModel"

  package static let fieldNames = [
    "hidden_size": "n_embd", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head",
    "num_key_value_heads": "n_head", "head_dim": "n_embd", "intermediate_size": "n_inner",
    "max_position_embeddings": "n_positions", "rms_norm_eps": "layer_norm_epsilon",
  ]

  /// `reorder_and_upcast_attn` is carried: it says in which precision scores are computed, and here that is always fp32.
  /// Source: transformers' `GPT2Config` and `GPT2Attention`.
  package static func configuration(_ file: ConfigurationFile) throws -> DecoderConfiguration {
    try file.refuse(true: ["add_cross_attention"])
    var configuration = try configuration(file, family: GPT2.self, tiesHead: true) { _ in .learned }
    configuration.scalesScoresByDimension = try file.flag("scale_attn_weights") ?? true
    configuration.scalesScoresByLayer = try file.flag("scale_attn_by_inverse_layer_idx") ?? false
    return configuration
  }

  /// Of a family whose files have GPT-2's keys.
  /// - Parameters:
  ///   - tiesHead: whether it does where the file does not say.
  ///   - positions: given the head dimension.
  static func configuration(
    _ file: ConfigurationFile, family: any ModelFamily.Type, tiesHead: Bool,
    positions: (Int) throws -> Positions
  ) throws -> DecoderConfiguration {
    let hiddenSize = try file.size("n_embd")
    let headCount = try file.size("n_head")
    let headDimension = try file.headDimension("n_embd", hiddenSize, headCount: headCount)
    let (innerSize, overflow) = hiddenSize.multipliedReportingOverflow(by: 4)
    guard !overflow else { throw ConfigurationError("n_embd", "\(hiddenSize) is too large") }
    return DecoderConfiguration(
      family: family, vocabularySize: try file.size("vocab_size"), hiddenSize: hiddenSize,
      layerCount: try file.size("n_layer"), headCount: headCount, keyValueHeadCount: headCount,
      headDimension: headDimension, feedForwardSize: try file.optionalSize("n_inner") ?? innerSize,
      norm: Norm(kind: .layer, epsilon: try file.optionalNumber("layer_norm_epsilon") ?? 1e-5),
      positions: try positions(headDimension), isGated: false,
      activation: try file.activation("activation_function", absent: .geluTanh),
      tiedEmbeddings: try file.flag("tie_word_embeddings") ?? tiesHead,
      contextLength: try file.size("n_positions"), bosTokenID: try file.tokenID("bos_token_id"),
      eosTokenIDs: try file.tokenIDs("eos_token_id"))
  }

  package static func members(_ configuration: DecoderConfiguration, dtype: String) -> JSONObject {
    sharedMembers(
      configuration, dtype: dtype,
      own: [
        ("scale_attn_weights", .bool(configuration.scalesScoresByDimension)),
        ("scale_attn_by_inverse_layer_idx", .bool(configuration.scalesScoresByLayer)),
        ("add_cross_attention", false),
      ])
  }

  /// Those of every family with GPT-2's keys.
  /// - Parameter own: what this family alone has.
  static func sharedMembers(
    _ configuration: DecoderConfiguration, dtype: String, own: [(String, JSON)]
  ) -> JSONObject {
    let c = configuration
    precondition(c.slidingWindow == nil, "`\(c.family.type.modelType)` has no sliding window")
    let members: [(String, JSON)] = [
      ("architectures", [.string(c.family.type.transformersClass(of: c.head))]),
      ("model_type", .string(c.family.type.modelType)),
      ("vocab_size", .int(Int64(c.vocabularySize))),
      ("n_embd", .int(Int64(c.hiddenSize))),
      ("n_layer", .int(Int64(c.layerCount))),
      ("n_head", .int(Int64(c.headCount))),
      ("n_inner", .int(Int64(c.feedForwardSize))),
      ("n_positions", .int(Int64(c.contextLength))),
      ("activation_function", .string(c.activation.olderName)),
      ("layer_norm_epsilon", .double(c.norm.epsilon)),
    ]
    return JSONObject(
      members + own + [
        ("tie_word_embeddings", .bool(c.tiedEmbeddings)),
        ("bos_token_id", c.bosTokenID.map { .int(Int64($0)) } ?? .null),
        ("eos_token_id", c.endTokensJSON),
        ("torch_dtype", .string(dtype)),
      ])
  }

  /// Products are stored by transformers' `Conv1D`, [inputs, outputs]; those of query, key and value side by side in one.
  package static func layout(_ configuration: DecoderConfiguration) -> ParameterLayout {
    var layout = ParameterLayout(configuration)
    layout.add("transformer.wte.weight", .tokenEmbedding)
    layout.add("transformer.wpe.weight", .positionEmbedding)
    for layer in 0..<configuration.layerCount {
      let block = "transformer.h.\(layer)."
      func addProduct(_ name: String, _ projection: Projection) {
        layout.add(block + "\(name).weight", .weight(projection), layer: layer, isTransposed: true)
        layout.add(block + "\(name).bias", .bias(projection), layer: layer)
      }
      layout.add(block + "ln_1.weight", .attentionNorm, layer: layer)
      layout.add(block + "ln_1.bias", .attentionNormBias, layer: layer)
      layout.add(
        block + "attn.c_attn.weight", .weight(.query), .weight(.key), .weight(.value), layer: layer,
        isTransposed: true)
      layout.add(block + "attn.c_attn.bias", .bias(.query), .bias(.key), .bias(.value), layer: layer)
      addProduct("attn.c_proj", .output)
      layout.add(block + "ln_2.weight", .feedForwardNorm, layer: layer)
      layout.add(block + "ln_2.bias", .feedForwardNormBias, layer: layer)
      addProduct("mlp.c_fc", .up)
      addProduct("mlp.c_proj", .down)
    }
    layout.add("transformer.ln_f.weight", .finalNorm)
    layout.add("transformer.ln_f.bias", .finalNormBias)
    layout.addHead("lm_head.weight")
    return layout
  }

  /// The first files, OpenAI's own among them, are of the decoder without its head: no name begins with `transformer.`. Old ones
  /// store the causal mask.
  package static func layoutName(ofStored name: String, _ configuration: DecoderConfiguration) -> String? {
    if name == "lm_head.weight" { return configuration.tiedEmbeddings ? nil : name }
    let full = name.hasPrefix("transformer.") ? name : "transformer." + name
    let isMask = full.hasSuffix(".attn.bias") || full.hasSuffix(".attn.masked_bias")
    return isMask && full.hasPrefix("transformer.h.") ? nil : full
  }
}
