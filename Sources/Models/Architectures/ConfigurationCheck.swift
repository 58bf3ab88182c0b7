// What the decoder and its kernels rely on (CKernels.h), checked before any tensor is read.

extension DecoderConfiguration {
  /// No real model comes near; they keep every product of sizes far inside `Int`, and positions and ids inside `Int32`.
  private static let largestSize = 1 << 27
  private static let largestTensor = 1 << 40
  private static let largestLayerCount = 4096

  /// - Parameter field: the name of each property where the configuration was read from, for the error. The properties are named
  ///   as Llama's `config.json` has them.
  /// - Throws: `ConfigurationError`.
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
    var rows = [
      ("vocab_size", vocabularySize), ("num_attention_heads", attentionSize),
      ("intermediate_size", feedForwardSize),
    ]
    if positions == .learned { rows.append(("max_position_embeddings", contextLength)) }
    for (name, size) in rows where size * hiddenSize > Self.largestTensor {
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
    if case .rotary(let rotary) = positions {
      guard rotary.base >= 1, rotary.base.fitsSinglePrecision else {
        throw fail(
          "rope_theta", "expected a number of at least 1 in single precision, found \(rotary.base)")
      }
      guard rotary.dimension % 2 == 0, rotary.dimension >= 2, rotary.dimension <= headDimension else {
        throw fail(
          "rotary_dim",
          "expected an even number of 2 to \(headDimension), the head dimension, found \(rotary.dimension)")
      }
    }
    guard norm.epsilon >= 0, norm.epsilon.fitsSinglePrecision else {
      throw fail(
        "rms_norm_eps",
        "expected 0 or a positive number that single precision holds, found \(norm.epsilon)")
    }
    try checkTokenIDs([bosTokenID].compactMap { $0 }, field("bos_token_id"))
    try checkTokenIDs(eosTokenIDs, field("eos_token_id"))
  }
}
