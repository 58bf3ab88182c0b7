// Mistral: Llama's decoder with a sliding window.

import JSON

package enum Mistral: ModelFamily {
  package static let modelType = "mistral"
  package static let classPrefix = "Mistral"

  /// Where a file leaves out the window or the number of key-value heads, transformers' `MistralConfig` has 4096 and 8.
  package static func configuration(_ file: ConfigurationFile) throws -> DecoderConfiguration {
    func statedOr(_ absent: Int, _ key: String) throws -> Int? {
      file.value(key) == nil ? absent : try file.optionalSize(key)
    }
    var configuration = try Llama.configuration(
      file, family: Mistral.self, keyValueHeadCount: try statedOr(8, "num_key_value_heads"))
    configuration.slidingWindow = try statedOr(4096, "sliding_window")
    return configuration
  }

  package static func members(_ configuration: DecoderConfiguration, dtype: String) -> JSONObject {
    var object = Llama.sharedMembers(configuration, dtype: dtype)
    for key in ["attention_bias", "mlp_bias", "pretraining_tp"] { object[key] = nil }
    object["sliding_window"] = configuration.slidingWindow.map { .int(Int64($0)) } ?? .null
    return object
  }

  package static func layout(_ configuration: DecoderConfiguration) -> ParameterLayout {
    Llama.layout(configuration)
  }

  package static func layoutName(ofStored name: String, _ configuration: DecoderConfiguration) -> String? {
    Llama.layoutName(ofStored: name, configuration)
  }
}
