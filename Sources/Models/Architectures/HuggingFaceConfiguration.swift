// `config.json`: the family reads what changes the computation and writes what transformers loads; the rest is carried along.

import JSON
import System

extension DecoderConfiguration {
  /// Reads the text of a `config.json`, already parsed.
  ///
  /// Keys that the family's class in transformers does not have are inert there and here.
  /// - Throws: `ConfigurationError`.
  package init(huggingFace json: JSON) throws {
    guard json.objectValue != nil else {
      throw ConfigurationError("$", "expected an object, found \(json.kind)")
    }
    let file = ConfigurationFile(json)
    guard let modelType = file.value("model_type") else {
      throw ConfigurationError("model_type", "missing")
    }
    guard let family = families.first(where: { .string($0.modelType) == modelType }) else {
      let known = families.map { "`\($0.modelType)`" }
      throw ConfigurationError(
        "model_type",
        "\(file.shown(modelType)) is not supported; \(known.dropLast().joined(separator: ", ")) and \(known.last ?? "") are"
      )
    }
    if let quantization = file.present("quantization_config") {
      throw ConfigurationError("quantization_config", "\(file.shown(quantization)) is not supported")
    }
    self = try family.configuration(file)
    try validate(naming: { family.fieldNames[$0] ?? $0 })
    // What a written file says anew.
    for key in ["architectures", "torch_dtype", "dtype"] { _ = file.value(key) }
    let written = family.members(self, dtype: "float32")
    carried = .object(JSONObject(distinct: file.unread.filter { written[$0.key] != $0.value }))
    _ = try dropoutRates()
  }

  /// The `config.json` of a model with this configuration, loaded by transformers as the family's class with its head.
  package func huggingFaceConfig(dtype: SafeTensorsOutput.DType = .f32) -> JSON {
    precondition(attentionSoftCap == nil, "`\(family.type.modelType)` has no soft cap")
    var object = family.type.members(self, dtype: dtype.torchName)
    if case .classification(let labels) = head {
      object["id2label"] = .object(JSONObject(labels.enumerated().map { ("\($0)", .string($1)) }))
    }
    for (key, value) in carried.objectValue?.members ?? [] { object[key] = value }
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

  package var endTokensJSON: JSON {
    switch eosTokenIDs.count {
    case 0: .null
    case 1: .int(Int64(eosTokenIDs[0]))
    default: .array(eosTokenIDs.map { .int(Int64($0)) })
    }
  }
}
