// GPT-J: rotary positions over neighbours, both branches on one norm, biases in the feed-forward network and the head.

import JSON

package enum GPTJ: ModelFamily {
  package static let modelType = "gptj"
  package static let classPrefix = "GPTJ"
  package static var fieldNames: [String: String] { GPT2.fieldNames }

  /// Of the rotary frequencies; no file says another.
  static let rotaryBase = 10_000.0

  /// A `rotary_dim` of null turns all of the hidden size, which is a head's where there is one head; with more, transformers fails.
  /// Source: transformers' `GPTJConfig` and `GPTJAttention`.
  package static func configuration(_ file: ConfigurationFile) throws -> DecoderConfiguration {
    var configuration = try GPT2.configuration(file, family: GPTJ.self, tiesHead: false) { headDimension in
      var dimension = try file.optionalSize("rotary_dim") ?? headDimension
      if file.value("rotary_dim") == nil { dimension = 64 }
      return .rotary(Rotary(base: rotaryBase, dimension: dimension, pairs: .neighbours))
    }
    guard file.value("rotary_dim")?.isNull != true || configuration.headCount == 1 else {
      throw ConfigurationError("rotary_dim", "null is not supported with more than one head")
    }
    configuration.residual = .parallel(sharesNorm: true)
    return configuration
  }

  package static func members(_ configuration: DecoderConfiguration, dtype: String) -> JSONObject {
    guard case .rotary(let rotary) = configuration.positions, rotary.base == rotaryBase,
      rotary.pairs == .neighbours
    else { preconditionFailure("`gptj` has no positions \(configuration.positions)") }
    return GPT2.sharedMembers(
      configuration, dtype: dtype, own: [("rotary_dim", .int(Int64(rotary.dimension)))])
  }

  /// The bias of the head stays where its weights are tied.
  package static func layout(_ configuration: DecoderConfiguration) -> ParameterLayout {
    var layout = ParameterLayout(configuration)
    layout.add("transformer.wte.weight", .tokenEmbedding)
    for layer in 0..<configuration.layerCount {
      func add(_ name: String, _ role: ParameterRole) {
        layout.add("transformer.h.\(layer).\(name)", role, layer: layer)
      }
      add("ln_1.weight", .attentionNorm)
      add("ln_1.bias", .attentionNormBias)
      add("attn.q_proj.weight", .weight(.query))
      add("attn.k_proj.weight", .weight(.key))
      add("attn.v_proj.weight", .weight(.value))
      add("attn.out_proj.weight", .weight(.output))
      add("mlp.fc_in.weight", .weight(.up))
      add("mlp.fc_in.bias", .bias(.up))
      add("mlp.fc_out.weight", .weight(.down))
      add("mlp.fc_out.bias", .bias(.down))
    }
    layout.add("transformer.ln_f.weight", .finalNorm)
    layout.add("transformer.ln_f.bias", .finalNormBias)
    layout.addHead("lm_head.weight", bias: "lm_head.bias")
    return layout
  }

  /// As in GPT-2's files, which store the causal mask under the same names.
  package static func layoutName(ofStored name: String, _ configuration: DecoderConfiguration) -> String? {
    name == "lm_head.bias" ? name : GPT2.layoutName(ofStored: name, configuration)
  }
}
