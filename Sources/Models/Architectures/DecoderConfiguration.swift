// What a decoder is made of: the numbers that say which shapes and which constants, read from `config.json` and written back.

import JSON
import System

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

  /// No real model comes near; they keep every product of sizes far inside `Int`, and positions and ids inside `Int32`.
  private static let largestSize = 1 << 27
  private static let largestTensor = 1 << 40
  private static let largestLayerCount = 4096

  /// Checks what the decoder and its kernels rely on (CKernels.h), before any tensor is read.
  /// - Parameter field: the name of each property where the configuration was read from, for the error.
  package func validate(naming field: (String) -> String = { $0 }) throws {
    func fail(_ name: String, _ problem: String) -> ConfigurationError {
      ConfigurationError(field(name), problem)
    }
    let sizes = [
      ("vocab_size", vocabularySize), ("hidden_size", hiddenSize), ("num_hidden_layers", layerCount),
      ("num_attention_heads", headCount), ("num_key_value_heads", keyValueHeadCount),
      ("head_dim", headDimension),
      ("intermediate_size", feedForwardSize), ("max_position_embeddings", contextLength),
    ]
    let window = slidingWindow.map { [("sliding_window", $0)] } ?? []
    for (name, value) in sizes + window where value < 1 || value > Self.largestSize {
      throw fail(name, "expected 1 to \(Self.largestSize), found \(value)")
    }
    guard layerCount <= Self.largestLayerCount else {
      throw fail("num_hidden_layers", "expected at most \(Self.largestLayerCount), found \(layerCount)")
    }
    guard headCount % keyValueHeadCount == 0 else {
      throw fail(
        "num_key_value_heads",
        "\(headCount) heads do not divide evenly over \(keyValueHeadCount) key-value heads")
    }
    guard headDimension % 2 == 0, headDimension <= AttentionRule.largestHeadDimension else {
      throw fail(
        "head_dim",
        "an even head dimension of at most \(AttentionRule.largestHeadDimension) is supported, found \(headDimension)"
      )
    }
    let attentionSize = headCount * headDimension
    guard attentionSize <= Self.largestSize else {
      throw fail(
        "num_attention_heads",
        "\(headCount) heads of \(headDimension) are \(attentionSize) numbers per token; at most \(Self.largestSize) are possible"
      )
    }
    for (name, size) in [
      ("vocab_size", vocabularySize), ("num_attention_heads", attentionSize),
      ("intermediate_size", feedForwardSize),
    ] where size * hiddenSize > Self.largestTensor {
      throw fail(
        name,
        "needs tensors of shape [\(size), \(hiddenSize)]; at most \(Self.largestTensor) numbers are possible"
      )
    }
    if let attentionSoftCap {
      guard attentionSoftCap > 0, attentionSoftCap.fitsSinglePrecision else {
        throw fail("attn_logit_softcapping", "expected a positive number, found \(attentionSoftCap)")
      }
    }
    guard rotaryBase >= 1, rotaryBase.fitsSinglePrecision else {
      throw fail("rope_theta", "expected a number of at least 1 in single precision, found \(rotaryBase)")
    }
    guard normEpsilon >= 0, normEpsilon.fitsSinglePrecision else {
      throw fail(
        "rms_norm_eps",
        "expected 0 or a positive number that single precision holds, found \(normEpsilon)")
    }
    try checkTokenIDs([bosTokenID].compactMap { $0 }, field("bos_token_id"))
    try checkTokenIDs(eosTokenIDs, field("eos_token_id"))
  }

  /// Every tensor that the decoder needs.
  package var layout: ParameterLayout {
    var layout = ParameterLayout(self)
    layout.add("model.embed_tokens.weight", .tokenEmbedding)
    for layer in 0..<layerCount {
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
    if !tiedEmbeddings { layout.add("lm_head.weight", .head) }
    return layout
  }
}
