// Reading Hugging Face `tokenizer.json`. A part that is not supported is an error that names it; nothing is ignored.

import JSON
import System

extension Tokenizer {
  /// - Throws: `TokenizerError` naming the JSON path.
  package init(huggingFace json: JSON) throws {
    guard json.objectValue != nil else { throw TokenizerError("$", "expected an object, found \(json.kind)") }
    try TokenizerJSON.checkVersion(json["version"])
    try TokenizerJSON.requireNull(json, "normalizer")
    try TokenizerJSON.checkInert(json, "truncation")
    try TokenizerJSON.checkInert(json, "padding")
    try TokenizerJSON.checkDecoder(json["decoder"])
    let preTokenizer = PreTokenizer(try TokenizerJSON.readSteps(json["pre_tokenizer"], "pre_tokenizer"))
    let model = try TokenizerJSON.Model(json["model"])
    let added = try TokenizerJSON.readAddedTokens(json["added_tokens"])
    let begin = try TokenizerJSON.readPostProcessor(json["post_processor"], "post_processor")
    let order = model.entryOfID
    try self.init(
      vocabulary: model.vocabulary, merges: model.merges, preTokenizer: preTokenizer, addedTokens: added,
      ignoreMerges: model.ignoreMerges, addsBeginToken: begin != nil,
      vocabularyLocation: { "model.vocab entry \($0 < order.count ? order[$0] : $0)" },
      mergeLocation: { "model.merges[\($0)]" })
    if let begin {
      guard let id = id(of: begin.spelling) else {
        throw TokenizerError(begin.path, "\(quoted(begin.spelling)) is not in the vocabulary")
      }
      guard begin.ids == nil || begin.ids == [.int(Int64(id))] else {
        throw TokenizerError(
          "\(begin.path).ids",
          "expected [\(id)], the id of \(quoted(begin.spelling)) in the vocabulary, found \(quoted(begin.ids?.text() ?? "", limit: 80))"
        )
      }
      beginToken = id
    }
  }
}

/// The parts of `tokenizer.json`.
enum TokenizerJSON {
  static func unsupported(_ path: String, _ value: JSON, _ supported: String) -> TokenizerError {
    TokenizerError(path, "\(quoted(value.text(), limit: 80)) is not supported; \(supported)")
  }

  /// Source: tokenizers `serialization.rs`, which knows one version and takes a file that names none.
  static func checkVersion(_ json: JSON?) throws {
    guard let json, json != "1.0" else { return }
    throw unsupported("version", json, "`\"1.0\"` is")
  }

  /// How the library that wrote the file last cut and padded a batch: set anew with every call there, and of no effect here,
  /// where what is too long is refused and nothing is padded.
  static func checkInert(_ json: JSON, _ key: String) throws {
    guard let value = json[key], !value.isNull, value.objectValue == nil else { return }
    throw TokenizerError(key, "expected an object or null, found \(value.kind)")
  }

  static func requireNull(_ json: JSON, _ key: String) throws {
    guard let value = json[key], !value.isNull else { return }
    throw unsupported(key, value["type"] ?? value, "only `null` is")
  }

  static func type(_ json: JSON, _ path: String) throws -> String {
    guard json.objectValue != nil else {
      throw TokenizerError(path, "expected an object, found \(json.kind)")
    }
    guard let type = json["type"]?.stringValue else { throw wanted("a string", json, "type", path) }
    return type
  }

  /// What stands at `path.key` is not what it must be.
  static func wanted(_ expected: String, _ json: JSON, _ key: String, _ path: String) -> TokenizerError {
    TokenizerError("\(path).\(key)", "expected \(expected), found \(json[key]?.kind ?? "nothing")")
  }

  /// A flag that may be missing.
  static func flag(_ json: JSON, _ key: String, _ path: String, default missing: Bool) throws -> Bool {
    guard let value = json[key] else { return missing }
    guard let flag = value.boolValue else {
      throw TokenizerError("\(path).\(key)", "expected a boolean, found \(value.kind)")
    }
    return flag
  }

  static func checkDecoder(_ json: JSON?) throws {
    guard let json, !json.isNull else { throw TokenizerError("decoder", "missing; `ByteLevel` is supported") }
    guard try type(json, "decoder") == "ByteLevel" else {
      throw unsupported("decoder.type", json["type"] ?? json, "`ByteLevel` is")
    }
  }

  // MARK: Pre-tokenizers

  /// The steps of a pre-tokenizer, which must end in `ByteLevel`.
  static func readSteps(_ json: JSON?, _ path: String) throws -> [PreTokenizerStep] {
    guard let json, !json.isNull else { throw TokenizerError(path, "missing; `ByteLevel` is supported") }
    guard try type(json, path) == "Sequence" else {
      let (steps, isByteLevel) = try readStep(json, path)
      guard isByteLevel else {
        throw unsupported("\(path).type", json["type"] ?? json, "it must be or end in `ByteLevel`")
      }
      return steps
    }
    guard let members = json["pretokenizers"]?.arrayValue else {
      throw wanted("a list", json, "pretokenizers", path)
    }
    guard !members.isEmpty else { throw TokenizerError("\(path).pretokenizers", "the list is empty") }
    var all: [PreTokenizerStep] = []
    for (index, member) in members.enumerated() {
      let memberPath = "\(path).pretokenizers[\(index)]"
      let (steps, isByteLevel) = try readStep(member, memberPath)
      // What follows `ByteLevel` would see the byte alphabet, not the text.
      guard isByteLevel == (index == members.count - 1) else {
        throw unsupported(
          "\(memberPath).type", member["type"] ?? member, "`ByteLevel` must come last, and only there")
      }
      all += steps
    }
    return all
  }

  private static func readStep(_ json: JSON, _ path: String) throws -> (
    steps: [PreTokenizerStep], isByteLevel: Bool
  ) {
    switch try type(json, path) {
    case "ByteLevel":
      guard try !flag(json, "add_prefix_space", path, default: true) else {
        throw unsupported("\(path).add_prefix_space", json["add_prefix_space"] ?? true, "`false` is")
      }
      return (try flag(json, "use_regex", path, default: true) ? [.split(.gpt2)] : [.bytes], true)
    case "Digits":
      return ([.digits(individual: try flag(json, "individual_digits", path, default: false))], false)
    case "Split":
      guard let expression = json["pattern"]?["Regex"]?.stringValue else {
        throw unsupported("\(path).pattern", json["pattern"] ?? .null, "`Regex` is")
      }
      guard
        let pattern = SplitPattern.allCases.first(where: { $0.rawValue.utf8.elementsEqual(expression.utf8) })
      else {
        throw unsupported(
          "\(path).pattern.Regex", .string(expression), "the expressions of GPT-2, Llama 3 and Qwen 2 are")
      }
      // The expressions match everywhere, so keeping the matches and isolating them are the same.
      switch (json["behavior"]?.stringValue, try flag(json, "invert", path, default: false)) {
      case ("Isolated", _), ("Removed", true): return ([.split(pattern)], false)
      default:
        throw unsupported(
          "\(path).behavior", json["behavior"] ?? .null, "`Isolated` is, and `Removed` with `invert`")
      }
    default:
      throw unsupported(
        "\(path).type", json["type"] ?? json, "`Sequence`, `Digits`, `Split` and `ByteLevel` are")
    }
  }

  // MARK: Post-processors

  /// A begin token as a post-processor names it.
  struct Begin {
    let spelling: String
    /// Which ids the post-processor puts for it, where it says so.
    let ids: JSON?
    /// Where it is declared.
    let path: String
  }

  /// The begin token that a post-processor puts first, or nil when it changes nothing.
  static func readPostProcessor(_ json: JSON?, _ path: String) throws -> Begin? {
    guard let json, !json.isNull else { return nil }
    switch try type(json, path) {
    case "ByteLevel": return nil
    case "Sequence":
      guard let members = json["processors"]?.arrayValue else {
        throw wanted("a list", json, "processors", path)
      }
      var begin: Begin?
      for (index, member) in members.enumerated() {
        guard let found = try readPostProcessor(member, "\(path).processors[\(index)]") else { continue }
        guard begin == nil else {
          throw unsupported("\(path).processors[\(index)]", member["type"] ?? member, "one template is")
        }
        begin = found
      }
      return begin
    case "TemplateProcessing": return try readTemplate(json, path)
    default:
      throw unsupported("\(path).type", json["type"] ?? json, "`ByteLevel` and `TemplateProcessing` are")
    }
  }

  private static func readTemplate(_ json: JSON, _ path: String) throws -> Begin? {
    guard let single = json["single"]?.arrayValue else { throw wanted("a list", json, "single", path) }
    var begin: String?
    var sawText = false
    for (index, piece) in single.enumerated() {
      if piece["Sequence"] != nil, !sawText {
        sawText = true
      } else if let special = piece["SpecialToken"]?["id"]?.stringValue, !sawText, begin == nil {
        begin = special
      } else {
        throw unsupported("\(path).single[\(index)]", piece, "a begin token and then the text is")
      }
    }
    guard sawText else { throw TokenizerError("\(path).single", "the template has no text") }
    return begin.map {
      Begin(
        spelling: $0, ids: json["special_tokens"]?[$0]?["ids"], path: "\(path).special_tokens[\(quoted($0))]")
    }
  }

  // MARK: Added tokens

  static func readAddedTokens(_ json: JSON?) throws -> [AddedToken] {
    guard let json, !json.isNull else { return [] }
    guard let elements = json.arrayValue else {
      throw TokenizerError("added_tokens", "expected a list, found \(json.kind)")
    }
    return try elements.enumerated().map { index, element in
      let path = "added_tokens[\(index)]"
      guard element.objectValue != nil else {
        throw TokenizerError(path, "expected an object, found \(element.kind)")
      }
      guard let content = element["content"]?.stringValue else {
        throw wanted("a string", element, "content", path)
      }
      guard !content.isEmpty else { throw TokenizerError("\(path).content", "the string is empty") }
      guard case .int(let number)? = element["id"], let id = Int32(exactly: number), id >= 0 else {
        let found = element["id"].map { quoted($0.text(), limit: 80) } ?? "nothing"
        throw TokenizerError("\(path).id", "expected a token id, found \(found)")
      }
      guard try !flag(element, "single_word", path, default: false) else {
        throw unsupported("\(path).single_word", true, "`false` is")
      }
      return AddedToken(
        id: id, content: content, special: try flag(element, "special", path, default: false),
        lstrip: try flag(element, "lstrip", path, default: false),
        rstrip: try flag(element, "rstrip", path, default: false),
        normalized: try flag(element, "normalized", path, default: true))
    }
  }

  // MARK: Model

  struct Model {
    let vocabulary: [String]
    /// Which entry of `model.vocab` holds the token of an id.
    let entryOfID: [Int]
    let merges: [(left: String, right: String)]
    let ignoreMerges: Bool

    init(_ json: JSON?) throws {
      guard let json, json.objectValue != nil else {
        throw TokenizerError("model", "expected an object, found \(json?.kind ?? "nothing")")
      }
      // Files before tokenizers 0.8 have no type; their BPE is known by its merges.
      if let type = json["type"] {
        guard type.stringValue == "BPE" else {
          throw TokenizerJSON.unsupported("model.type", type, "`BPE` is")
        }
      } else if json["merges"] == nil {
        throw TokenizerError("model.type", "missing; `BPE` is supported")
      }
      for key in ["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"] {
        // The empty string and 0 do nothing, and old files have them.
        guard let value = json[key], !value.isNull else { continue }
        if key == "dropout"
          ? value.doubleValue == 0 : (key != "unk_token" && value.stringValue?.isEmpty == true)
        {
          continue
        }
        if key == "unk_token", try Self.hasAllBytes(json) { continue }
        throw TokenizerJSON.unsupported("model.\(key)", value, "only `null` is")
      }
      for key in ["byte_fallback"] where try TokenizerJSON.flag(json, key, "model", default: false) {
        throw TokenizerJSON.unsupported("model.\(key)", true, "`false` is")
      }
      ignoreMerges = try TokenizerJSON.flag(json, "ignore_merges", "model", default: false)
      (vocabulary, entryOfID) = try Self.readVocabulary(json["vocab"])
      merges = try Self.readMerges(json["merges"])
    }

    /// With a token for every byte nothing is ever unknown, and `unk_token` has no effect.
    private static func hasAllBytes(_ json: JSON) throws -> Bool {
      let keys = Set((json["vocab"]?.objectValue?.keys ?? []).map { UTF8Key($0) })
      return ByteAlphabet.scalars.allSatisfy { keys.contains(UTF8Key(String(Character($0)))) }
    }

    private static func readVocabulary(_ json: JSON?) throws -> ([String], [Int]) {
      guard let members = json?.objectValue?.members else {
        throw TokenizerError("model.vocab", "expected an object, found \(json?.kind ?? "nothing")")
      }
      guard !members.isEmpty else { throw TokenizerError("model.vocab", "the object is empty") }
      var tokens = [String?](repeating: nil, count: members.count)
      var entryOfID = [Int](repeating: 0, count: members.count)
      for (entry, (token, value)) in members.enumerated() {
        func failure(_ problem: String) -> TokenizerError {
          TokenizerError("model.vocab entry \(entry)", problem)
        }
        guard case .int(let number) = value, let id = Int(exactly: number), id >= 0 else {
          throw failure(
            "\(quoted(token)): expected a token id, found \(quoted(value.text(), limit: 80))")
        }
        guard id < tokens.count else {
          throw failure(
            "\(quoted(token)) has id \(id), but there are \(tokens.count) tokens; ids must have no gap")
        }
        guard tokens[id] == nil else {
          throw failure("\(quoted(token)) and \(quoted(tokens[id] ?? "")) have the same id \(id)")
        }
        tokens[id] = token
        entryOfID[id] = entry
      }
      // As many distinct ids as places: all are filled.
      return (tokens.compactMap { $0 }, entryOfID)
    }

    private static func readMerges(_ json: JSON?) throws -> [(left: String, right: String)] {
      guard let elements = json?.arrayValue else {
        throw TokenizerError("model.merges", "expected a list, found \(json?.kind ?? "nothing")")
      }
      return try elements.enumerated().map { index, element in
        if let text = element.stringValue, let merge = splitMerge(text) { return merge }
        if let pair = element.arrayValue, pair.count == 2, let left = pair[0].stringValue,
          let right = pair[1].stringValue
        {
          return (left, right)
        }
        throw TokenizerError(
          "model.merges[\(index)]", "expected two tokens, found \(quoted(element.text(), limit: 80))")
      }
    }
  }

  /// `a b` as two tokens. The byte alphabet has no space.
  static func splitMerge(_ text: String) -> (left: String, right: String)? {
    let utf8 = text.utf8
    guard let space = utf8.firstIndex(of: 0x20) else { return nil }
    let right = utf8[utf8.index(after: space)...]
    guard space > utf8.startIndex, !right.isEmpty, !right.contains(0x20),
      let left = String(utf8[..<space]), let right = String(right)
    else { return nil }
    return (left, right)
  }
}
