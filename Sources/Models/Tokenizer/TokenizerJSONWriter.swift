// Writing `tokenizer.json` and `tokenizer_config.json` so that Hugging Face `tokenizers` and transformers load them and encode alike.

import JSON
import System

extension Tokenizer {
  /// The content of `tokenizer.json`.
  package func huggingFaceJSON() -> JSON {
    let byteLevel = Self.byteLevel(addPrefixSpace: true, useRegex: true)
    return .object(
      JSONObject([
        ("version", "1.0"), ("truncation", .null), ("padding", .null),
        ("added_tokens", .array(addedTokens.sorted { $0.id < $1.id }.map(Self.json))),
        ("normalizer", .null), ("pre_tokenizer", preTokenizerJSON), ("post_processor", postProcessorJSON),
        // A decoder's flags other than its type have no effect.
        ("decoder", byteLevel), ("model", modelJSON),
      ]))
  }

  private static func json(_ token: AddedToken) -> JSON {
    .object(
      JSONObject([
        ("id", .int(Int64(token.id))), ("content", .string(token.content)), ("single_word", false),
        ("lstrip", .bool(token.lstrip)), ("rstrip", .bool(token.rstrip)),
        ("normalized", .bool(token.normalized)),
        ("special", .bool(token.special)),
      ]))
  }

  private static func byteLevel(addPrefixSpace: Bool, useRegex: Bool) -> JSON {
    .object(
      JSONObject([
        ("type", "ByteLevel"), ("add_prefix_space", .bool(addPrefixSpace)), ("trim_offsets", true),
        ("use_regex", .bool(useRegex)),
      ]))
  }

  private var preTokenizerJSON: JSON {
    var steps = preTokenizer.steps
    var useRegex = false
    switch steps.last {
    case .bytes: steps.removeLast()
    case .split(.gpt2):
      steps.removeLast()
      useRegex = true
    default: break
    }
    let last = Self.byteLevel(addPrefixSpace: false, useRegex: useRegex)
    guard !steps.isEmpty else { return last }
    let members: [JSON] = steps.compactMap { step in
      switch step {
      case .digits(let individual):
        .object(JSONObject([("type", "Digits"), ("individual_digits", .bool(individual))]))
      case .split(let pattern):
        .object(
          JSONObject([
            ("type", "Split"), ("pattern", .object(JSONObject([("Regex", .string(pattern.rawValue))]))),
            ("behavior", "Isolated"), ("invert", false),
          ]))
      // Cuts nothing; the closing `ByteLevel` stands for it.
      case .bytes: nil
      }
    }
    return .object(JSONObject([("type", "Sequence"), ("pretokenizers", .array(members + [last]))]))
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

  private var modelJSON: JSON {
    var vocabulary: [JSONObject.Member] = []
    vocabulary.reserveCapacity(modelCount)
    for id in 0..<Int32(truncatingIfNeeded: modelCount) {
      vocabulary.append((spelling(id) ?? "", .int(Int64(id))))
    }
    let pairs = merges.map { (spelling($0.left) ?? "", spelling($0.right) ?? "") }
    // The form `a b` is read by every version of tokenizers; it cannot hold a token with a space.
    let hasSpace = pairs.contains { $0.0.utf8.contains(0x20) || $0.1.utf8.contains(0x20) }
    let mergesJSON: [JSON] = pairs.map {
      hasSpace ? [.string($0.0), .string($0.1)] : .string("\($0.0) \($0.1)")
    }
    return .object(
      JSONObject([
        ("type", "BPE"), ("dropout", .null), ("unk_token", .null), ("continuing_subword_prefix", .null),
        ("end_of_word_suffix", .null), ("fuse_unk", false), ("byte_fallback", false),
        ("ignore_merges", .bool(ignoreMerges)),
        ("vocab", .object(JSONObject(distinct: vocabulary))), ("merges", .array(mergesJSON)),
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
      ("add_prefix_space", false), ("clean_up_tokenization_spaces", false),
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
