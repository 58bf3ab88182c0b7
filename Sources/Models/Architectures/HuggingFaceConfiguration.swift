// `config.json`: reading what we compute, refusing what we do not, and writing what transformers loads.

import JSON
import System

extension DecoderConfiguration {
  /// Reads the text of a `config.json`, already parsed.
  ///
  /// Keys of transformers' `LlamaConfig` and `MistralConfig` that would change the computation in a way we do not follow are
  /// errors unless they hold the value that changes nothing. Keys that the family's class does not have are inert there and here.
  /// - Throws: `ConfigurationError`.
  package init(huggingFace json: JSON) throws {
    guard json.objectValue != nil else {
      throw ConfigurationError("$", "expected an object, found \(json.kind)")
    }
    guard let modelType = json["model_type"] else { throw ConfigurationError("model_type", "missing") }
    guard let family = modelType.stringValue.flatMap(DecoderFamily.init) else {
      let known = DecoderFamily.allCases.map { "`\($0.rawValue)`" }.joined(separator: " and ")
      throw ConfigurationError(
        "model_type", "\(quoted(modelType.text(), limit: 80)) is not supported; \(known) are")
    }
    let reader = ConfigurationReader(json: json)
    try reader.refuseUncomputed()
    let hiddenSize = try reader.size("hidden_size")
    let headCount = try reader.size("num_attention_heads")
    let headDimension: Int
    if let stated = try reader.optionalSize("head_dim") {
      headDimension = stated
    } else {
      guard headCount > 0, hiddenSize % headCount == 0 else {
        throw ConfigurationError("hidden_size", "\(hiddenSize) is not a multiple of the \(headCount) heads")
      }
      headDimension = hiddenSize / headCount
    }
    self.init(
      vocabularySize: try reader.size("vocab_size"), hiddenSize: hiddenSize,
      layerCount: try reader.size("num_hidden_layers"), headCount: headCount,
      keyValueHeadCount: try reader.keyValueHeadCount(family) ?? headCount,
      headDimension: headDimension,
      feedForwardSize: try reader.size("intermediate_size"), rotaryBase: try reader.rotaryBase(),
      normEpsilon: try reader.number("rms_norm_eps"),
      tiedEmbeddings: try reader.flag("tie_word_embeddings") ?? false,
      contextLength: try reader.size("max_position_embeddings"),
      bosTokenID: try reader.present("bos_token_id").map { try tokenID($0, "bos_token_id") },
      eosTokenIDs: try tokenIDs(json["eos_token_id"], "eos_token_id"))
    self.family = family
    activation = try reader.activation()
    if family == .mistral { slidingWindow = try reader.slidingWindow() }
    try validate()
  }

  /// The `config.json` of a model with this configuration, loaded by transformers as the family's causal language model.
  package func huggingFaceConfig(dtype: SafeTensorsOutput.DType = .f32) -> JSON {
    precondition(attentionSoftCap == nil, "`\(family.rawValue)` has no soft cap")
    precondition(family == .mistral || slidingWindow == nil, "`\(family.rawValue)` has no sliding window")
    var object = JSONObject([
      ("architectures", [family == .llama ? "LlamaForCausalLM" : "MistralForCausalLM"]),
      ("model_type", .string(family.rawValue)),
      ("vocab_size", .int(Int64(vocabularySize))),
      ("hidden_size", .int(Int64(hiddenSize))),
      ("intermediate_size", .int(Int64(feedForwardSize))),
      ("num_hidden_layers", .int(Int64(layerCount))),
      ("num_attention_heads", .int(Int64(headCount))),
      ("num_key_value_heads", .int(Int64(keyValueHeadCount))),
      ("head_dim", .int(Int64(headDimension))),
      ("hidden_act", .string(activation.rawValue)),
      ("max_position_embeddings", .int(Int64(contextLength))),
      ("initializer_range", 0.02),
      ("rms_norm_eps", .double(normEpsilon)),
      ("rope_theta", .double(rotaryBase)),
      ("rope_scaling", .null),
      ("attention_bias", false),
      ("attention_dropout", 0.0),
      ("mlp_bias", false),
      ("pretraining_tp", 1),
      ("tie_word_embeddings", .bool(tiedEmbeddings)),
      ("bos_token_id", bosTokenID.map { .int(Int64($0)) } ?? .null),
      ("eos_token_id", endTokensJSON),
      ("use_cache", true),
      ("torch_dtype", dtype == .f32 ? "float32" : "bfloat16"),
    ])
    if family == .mistral {
      for key in ["attention_bias", "mlp_bias", "pretraining_tp"] { object[key] = nil }
      object["sliding_window"] = slidingWindow.map { .int(Int64($0)) } ?? .null
    }
    return .object(object)
  }

  /// The `generation_config.json` beside it, for a model that has none of its own: which tokens begin, end and pad.
  package func generationConfig(padTokenID: Int?) -> JSON {
    var object = JSONObject()
    if let bosTokenID { object["bos_token_id"] = .int(Int64(bosTokenID)) }
    if !eosTokenIDs.isEmpty { object["eos_token_id"] = endTokensJSON }
    if let padTokenID { object["pad_token_id"] = .int(Int64(padTokenID)) }
    return .object(object)
  }

  private var endTokensJSON: JSON {
    switch eosTokenIDs.count {
    case 0: .null
    case 1: .int(Int64(eosTokenIDs[0]))
    default: .array(eosTokenIDs.map { .int(Int64($0)) })
    }
  }
}

/// Typed access to the fields of a `config.json`.
private struct ConfigurationReader {
  let json: JSON

  func present(_ key: String) -> JSON? {
    guard let value = json[key], !value.isNull else { return nil }
    return value
  }

  func optionalSize(_ key: String) throws -> Int? {
    guard let value = present(key) else { return nil }
    guard case .int(let number) = value, let size = Int(exactly: number), size > 0 else {
      throw ConfigurationError(key, "expected a positive integer, found \(shown(value))")
    }
    return size
  }

  func size(_ key: String) throws -> Int {
    guard let value = try optionalSize(key) else {
      throw ConfigurationError(key, "missing; expected a positive integer")
    }
    return value
  }

  func number(_ key: String) throws -> Double {
    guard let value = present(key) else { throw ConfigurationError(key, "missing; expected a number") }
    guard let number = value.doubleValue else {
      throw ConfigurationError(key, "expected a number, found \(shown(value))")
    }
    return number
  }

  func flag(_ key: String) throws -> Bool? {
    guard let value = present(key) else { return nil }
    guard let flag = value.boolValue else {
      throw ConfigurationError(key, "expected a boolean, found \(shown(value))")
    }
    return flag
  }

  /// Nil for as many as there are heads. Mistral's class has a number for a file that does not say.
  func keyValueHeadCount(_ family: DecoderFamily) throws -> Int? {
    let key = "num_key_value_heads"
    return family == .mistral && json[key] == nil ? 8 : try optionalSize(key)
  }

  /// Nil where it says `null`; 4096 where it says nothing, as transformers' `MistralConfig` has it.
  func slidingWindow() throws -> Int? {
    let key = "sliding_window"
    return json[key] == nil ? 4096 : try optionalSize(key)
  }

  func activation() throws -> Activation {
    guard let value = present("hidden_act") else { return .silu }
    // The same function under its older name.
    if value.stringValue == "gelu_new" { return .geluTanh }
    guard let activation = value.stringValue.flatMap(Activation.init) else {
      let known = Activation.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
      throw ConfigurationError("hidden_act", "\(shown(value)) is not supported; \(known) are")
    }
    return activation
  }

  /// `rope_theta`, or `rope_parameters.rope_theta` as transformers 5 writes it; 10000 when neither is there, as there.
  func rotaryBase() throws -> Double {
    if let parameters = present("rope_parameters") {
      let key = "rope_parameters.rope_theta"
      guard let theta = parameters["rope_theta"] else {
        throw ConfigurationError(key, "missing; expected a number")
      }
      guard let number = theta.doubleValue else {
        throw ConfigurationError(key, "expected a number, found \(shown(theta))")
      }
      return number
    }
    return present("rope_theta") == nil ? 10_000 : try number("rope_theta")
  }

  func refuseUncomputed() throws {
    for key in ["attention_bias", "mlp_bias", "rope_interleaved"] where try flag(key) == true {
      throw ConfigurationError(key, "`true` is not supported; `false` is")
    }
    if let dropout = present("attention_dropout"), dropout.doubleValue != 0 {
      throw ConfigurationError("attention_dropout", "\(shown(dropout)) is not supported; 0 is")
    }
    for key in ["quantization_config", "rope_scaling", "rope_parameters"] {
      guard let value = present(key) else { continue }
      if key != "quantization_config" {
        // `default` is plain rotary; older files spell the key `type`.
        let type = value["rope_type"] ?? value["type"]
        let known: Set<String> = ["rope_type", "type", "rope_theta"]
        if type?.stringValue == "default", value.objectValue?.keys.allSatisfy(known.contains) == true {
          continue
        }
      }
      throw ConfigurationError(key, "\(shown(value)) is not supported")
    }
    if let factor = present("partial_rotary_factor"), factor.doubleValue != 1 {
      throw ConfigurationError("partial_rotary_factor", "\(shown(factor)) is not supported; 1 is")
    }
  }

  private func shown(_ value: JSON) -> String { quoted(value.text(), limit: 80) }
}
