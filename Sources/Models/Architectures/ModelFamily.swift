// A model family: what is particular to its files. What a decoder computes is data, `DecoderConfiguration`, and the same code for all.

import JSON

/// Models that share a `model_type` of transformers: their `config.json`, and the names and shapes of their tensors.
package protocol ModelFamily: Sendable {
  /// `model_type` in `config.json`.
  static var modelType: String { get }
  /// What the names of its classes in transformers begin with: `Llama` of `LlamaModel`.
  static var classPrefix: String { get }
  /// Its causal language model in transformers.
  static var languageModelClass: String { get }

  /// Reads what changes the computation. Keys that would change it in a way that is not computed are errors unless they hold the
  /// value that changes nothing. What is not read is carried to the file that is written.
  /// - Throws: `ConfigurationError`.
  static func configuration(_ file: ConfigurationFile) throws -> DecoderConfiguration

  /// Where this family's `config.json` keeps what `DecoderConfiguration.validate` calls so.
  static var fieldNames: [String: String] { get }

  /// The members of a `config.json`, in the order in which they are written, that transformers loads as the family's class with
  /// this head: `transformersClass(of:)`.
  /// - Parameter dtype: transformers' name of the weights' type.
  static func members(_ configuration: DecoderConfiguration, dtype: String) -> JSONObject

  static func layout(_ configuration: DecoderConfiguration) -> ParameterLayout

  /// The layout's name of a tensor that a file calls so; nil for one that no result depends on. Not asked of `Head.tensorName`,
  /// which is no family's own.
  static func layoutName(ofStored name: String, _ configuration: DecoderConfiguration) -> String?
}

extension ModelFamily {
  package static var fieldNames: [String: String] { [:] }
  package static var languageModelClass: String { classPrefix + "ForCausalLM" }

  /// The class that loads a model with this head. transformers has none with a value head: the decoder is loaded without it.
  static func transformersClass(of head: Head) -> String {
    switch head {
    case .language: languageModelClass
    case .value: classPrefix + "Model"
    case .classification: classPrefix + "ForSequenceClassification"
    }
  }
}

/// Every family that is read, in the order in which messages name them.
package let families: [any ModelFamily.Type] = [
  Llama.self, Mistral.self, GPT2.self, GPTJ.self, GPTNeoX.self,
]

/// A family as a value.
package struct FamilyReference: Sendable, Equatable {
  package let type: any ModelFamily.Type
  package init(_ type: any ModelFamily.Type) { self.type = type }
  package static func == (a: FamilyReference, b: FamilyReference) -> Bool { a.type == b.type }
}
