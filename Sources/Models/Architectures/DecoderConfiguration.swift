// What a decoder is made of: the numbers that say which shapes and which constants, read from `config.json` and written back.

import JSON

/// Whose `config.json` and tensor names a model has, by transformers' `model_type`.
package enum DecoderFamily: String, Sendable, CaseIterable {
  case llama
  /// Llama's decoder with a sliding window.
  case mistral
}

/// A causal decoder of the Llama family: RMS norm, rotary positions over halves, grouped heads, gated feed-forward, no biases.
package struct DecoderConfiguration: Sendable, Equatable {
  package var family = DecoderFamily.llama
  package var vocabularySize: Int
  package var hiddenSize: Int
  package var layerCount: Int
  package var headCount: Int
  package var keyValueHeadCount: Int
  package var headDimension: Int
  package var feedForwardSize: Int
  package var activation = Activation.silu
  /// A token attends to itself and the `slidingWindow - 1` before it; nil: to all.
  package var slidingWindow: Int?
  /// See `AttentionRule`. No family that is read has one yet.
  package var attentionSoftCap: Double?
  package var rotaryBase: Double
  package var normEpsilon: Double
  package var tiedEmbeddings: Bool
  package var contextLength: Int
  package var bosTokenID: Int?
  package var eosTokenIDs: [Int]

  package init(
    vocabularySize: Int, hiddenSize: Int, layerCount: Int, headCount: Int, keyValueHeadCount: Int,
    headDimension: Int,
    feedForwardSize: Int, rotaryBase: Double, normEpsilon: Double, tiedEmbeddings: Bool, contextLength: Int,
    bosTokenID: Int? = nil, eosTokenIDs: [Int] = []
  ) {
    self.vocabularySize = vocabularySize
    self.hiddenSize = hiddenSize
    self.layerCount = layerCount
    self.headCount = headCount
    self.keyValueHeadCount = keyValueHeadCount
    self.headDimension = headDimension
    self.feedForwardSize = feedForwardSize
    self.rotaryBase = rotaryBase
    self.normEpsilon = normEpsilon
    self.tiedEmbeddings = tiedEmbeddings
    self.contextLength = contextLength
    self.bosTokenID = bosTokenID
    self.eosTokenIDs = eosTokenIDs
  }
}

/// A model's configuration is wrong or asks for what is not computed. `field` is a JSON path or a metadata key.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  package let field: String
  package let problem: String
  package init(_ field: String, _ problem: String) {
    self.field = field
    self.problem = problem
  }
  package var description: String { "\(quoted(field)): \(problem)" }
}

extension DecoderConfiguration {
  package var attention: AttentionRule {
    AttentionRule(headDimension: headDimension, window: slidingWindow, softCap: attentionSoftCap)
  }

  /// No real model comes near; keeps every product of two sizes far inside `Int`.
  private static let largestSize = 1 << 27

  /// Checks what the decoder relies on.
  /// - Parameter field: the name of each property where the configuration was read from, for the error.
  package func validate(naming field: (String) -> String = { $0 }) throws {
    let sizes = [
      ("vocab_size", vocabularySize), ("hidden_size", hiddenSize), ("num_hidden_layers", layerCount),
      ("num_attention_heads", headCount), ("num_key_value_heads", keyValueHeadCount),
      ("head_dim", headDimension),
      ("intermediate_size", feedForwardSize), ("max_position_embeddings", contextLength),
    ]
    let window = slidingWindow.map { [("sliding_window", $0)] } ?? []
    for (name, value) in sizes + window where value < 1 || value > Self.largestSize {
      throw ConfigurationError(field(name), "expected 1 to \(Self.largestSize), found \(value)")
    }
    guard layerCount <= 4096 else {
      throw ConfigurationError(field("num_hidden_layers"), "expected at most 4096, found \(layerCount)")
    }
    guard headCount % keyValueHeadCount == 0 else {
      throw ConfigurationError(
        field("num_key_value_heads"),
        "\(headCount) heads do not divide evenly over \(keyValueHeadCount) key-value heads")
    }
    guard headDimension % 2 == 0 else {
      throw ConfigurationError(
        field("head_dim"), "rotary positions need an even head dimension, found \(headDimension)")
    }
    if let attentionSoftCap {
      guard attentionSoftCap.isFinite, attentionSoftCap > 0 else {
        throw ConfigurationError(
          field("attn_logit_softcapping"), "expected a positive number, found \(attentionSoftCap)")
      }
    }
    guard rotaryBase.isFinite, rotaryBase > 0 else {
      throw ConfigurationError(field("rope_theta"), "expected a positive number, found \(rotaryBase)")
    }
    guard normEpsilon.isFinite, normEpsilon >= 0 else {
      throw ConfigurationError(field("rms_norm_eps"), "expected a number of at least 0, found \(normEpsilon)")
    }
    try checkTokenIDs([bosTokenID].compactMap { $0 }, field("bos_token_id"))
    try checkTokenIDs(eosTokenIDs, field("eos_token_id"))
  }

  /// Every tensor the decoder needs, in the order in which it is written, under Hugging Face names.
  package var tensorShapes: [(name: String, shape: [Int])] {
    var shapes: [(name: String, shape: [Int])] = [
      ("model.embed_tokens.weight", [vocabularySize, hiddenSize])
    ]
    let queryRows = headCount * headDimension
    let keyRows = keyValueHeadCount * headDimension
    for layer in 0..<layerCount {
      let prefix = "model.layers.\(layer)."
      shapes += [
        (prefix + "input_layernorm.weight", [hiddenSize]),
        (prefix + "self_attn.q_proj.weight", [queryRows, hiddenSize]),
        (prefix + "self_attn.k_proj.weight", [keyRows, hiddenSize]),
        (prefix + "self_attn.v_proj.weight", [keyRows, hiddenSize]),
        (prefix + "self_attn.o_proj.weight", [hiddenSize, queryRows]),
        (prefix + "post_attention_layernorm.weight", [hiddenSize]),
        (prefix + "mlp.gate_proj.weight", [feedForwardSize, hiddenSize]),
        (prefix + "mlp.up_proj.weight", [feedForwardSize, hiddenSize]),
        (prefix + "mlp.down_proj.weight", [hiddenSize, feedForwardSize]),
      ]
    }
    shapes.append(("model.norm.weight", [hiddenSize]))
    if !tiedEmbeddings { shapes.append(("lm_head.weight", [vocabularySize, hiddenSize])) }
    return shapes
  }

  package var parameterCount: Int {
    tensorShapes.reduce(0) { $0 + $1.shape.reduce(1, *) }
  }
}
