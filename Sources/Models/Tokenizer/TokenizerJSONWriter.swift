// Writing `tokenizer.json` and `tokenizer_config.json` so that Hugging Face `tokenizers` and transformers load them and encode alike.

import JSON
import System

extension Tokenizer {
  /// The content of `tokenizer.json`, but for the trimming of offsets, which changes no token.
  package func huggingFaceJSON() -> JSON {
    .object(
      JSONObject([
        ("version", "1.0"), ("truncation", .null), ("padding", .null),
        ("added_tokens", .array(addedTokens.sorted { $0.id < $1.id }.map(Self.json))),
        ("normalizer", normalizer?.json ?? .null), ("pre_tokenizer", preTokenizer.json),
        ("post_processor", postProcessorJSON), ("decoder", decoder.json), ("model", model.json),
      ]))
  }

  static func json(_ token: AddedToken) -> JSON {
    .object(
      JSONObject([
        ("id", .int(Int64(token.id))), ("content", .string(token.content)),
        ("single_word", .bool(token.singleWord)),
        ("lstrip", .bool(token.lstrip)), ("rstrip", .bool(token.rstrip)),
        ("normalized", .bool(token.normalized)),
        ("special", .bool(token.special)),
      ]))
  }

  private var postProcessorJSON: JSON {
    guard addsBeginToken, let beginToken, let spelling = spelling(beginToken) else { return .null }
    func special(_ type: Int64) -> JSON {
      .object(
        JSONObject([
          ("SpecialToken", .object(JSONObject([("id", .string(spelling)), ("type_id", .int(type))])))
        ]))
    }
    func text(_ name: String, _ type: Int64) -> JSON {
      .object(
        JSONObject([("Sequence", .object(JSONObject([("id", .string(name)), ("type_id", .int(type))])))]))
    }
    let entry = JSON.object(
      JSONObject([
        ("id", .string(spelling)), ("ids", [.int(Int64(beginToken))]), ("tokens", [.string(spelling)]),
      ]))
    return .object(
      JSONObject([
        ("type", "TemplateProcessing"), ("single", [special(0), text("A", 0)]),
        ("pair", [special(0), text("A", 0), special(1), text("B", 1)]),
        ("special_tokens", .object(JSONObject([(spelling, entry)]))),
      ]))
  }

  /// The content of `tokenizer_config.json`.
  package func huggingFaceConfig(chatTemplate: String?, contextLength: Int) -> JSON {
    let decoder = addedTokens.sorted { $0.id < $1.id }.map { token -> JSONObject.Member in
      var object = Self.json(token).objectValue ?? JSONObject()
      object["id"] = nil
      return ("\(token.id)", .object(object))
    }
    func named(_ token: Int32?) -> JSON { token.flatMap { spelling($0) }.map { .string($0) } ?? .null }
    var object = JSONObject([
      ("tokenizer_class", "PreTrainedTokenizerFast"), ("added_tokens_decoder", .object(JSONObject(decoder))),
      ("add_prefix_space", .bool(preTokenizer.addsPrefixSpace)), ("clean_up_tokenization_spaces", false),
      ("model_max_length", .int(Int64(contextLength))),
      ("bos_token", named(beginToken)), ("eos_token", named(endToken)), ("pad_token", named(padToken)),
      ("unk_token", named(unknownToken)),
    ])
    if let chatTemplate { object["chat_template"] = .string(chatTemplate) }
    return .object(object)
  }

  /// Writes `tokenizer.json` and `tokenizer_config.json` into a directory that exists.
  package func write(toDirectory directory: String, chatTemplate: String?, contextLength: Int) throws {
    try File.writeDurably(huggingFaceJSON().text() + "\n", to: "\(directory)/tokenizer.json")
    let configuration = huggingFaceConfig(chatTemplate: chatTemplate, contextLength: contextLength)
    try File.writeDurably(configuration.text(.pretty) + "\n", to: "\(directory)/tokenizer_config.json")
  }
}
