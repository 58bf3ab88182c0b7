// Reading Hugging Face `tokenizer.json`. A part that is not supported is an error that names it; nothing is ignored.

import JSON
import System

extension Tokenizer {
  /// - Throws: `TokenizerError` naming the JSON path.
  package init(huggingFace json: JSON) throws {
    guard json.objectValue != nil else { throw TokenizerError("$", "expected an object, found \(json.kind)") }
    try TokenizerJSON.checkVersion(json["version"])
    let normalizer = try TokenizerJSON.readNormalizer(json["normalizer"])
    try TokenizerJSON.checkInert(json, "truncation")
    try TokenizerJSON.checkInert(json, "padding")
    let decoder = try TokenizerJSON.readDecoder(json["decoder"])
    let preTokenizer = PreTokenizerSteps(try TokenizerJSON.readSteps(json["pre_tokenizer"], "pre_tokenizer"))
    let model = try TokenizerJSON.readModel(json["model"])
    let added = try TokenizerJSON.readAddedTokens(json["added_tokens"])
    let postProcessor = try TokenizerJSON.readPostProcessor(json["post_processor"], "post_processor")
    let begin = postProcessor.begin
    try self.init(
      normalizer: normalizer, preTokenizer: preTokenizer, model: model, decoder: decoder, addedTokens: added,
      addsBeginToken: begin != nil, offsetTrim: postProcessor.trim)
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

  /// "`Digits`, `Split` and `ByteLevel` are".
  private static func supported(_ types: [String]) -> String {
    let names = types.map { "`\($0)`" }
    return names.count == 1
      ? "\(names[0]) is" : "\(names.dropLast().joined(separator: ", ")) and \(names[names.count - 1]) are"
  }

  // MARK: Parts

  static func readNormalizer(_ json: JSON?) throws -> (any Normalizer)? {
    guard let json, !json.isNull else { return nil }
    let path = "normalizer"
    guard let part = normalizers.first(where: { $0.type == json["type"]?.stringValue }) else {
      throw unsupported(path, json["type"] ?? json, supported(normalizers.map { $0.type }))
    }
    return try part.init(json, path)
  }

  static func readDecoder(_ json: JSON?) throws -> any TokenDecoder {
    let known = supported(tokenDecoders.map { $0.type })
    guard let json, !json.isNull else {
      throw TokenizerError("decoder", "missing; \(known.dropLast(3)) is supported")
    }
    let type = try Self.type(json, "decoder")
    guard let part = tokenDecoders.first(where: { $0.type == type }) else {
      throw unsupported("decoder.type", json["type"] ?? json, known)
    }
    return try part.init(json, "decoder")
  }

  static func readModel(_ json: JSON?) throws -> any TokenModel {
    guard let json, json.objectValue != nil else {
      throw TokenizerError("model", "expected an object, found \(json?.kind ?? "nothing")")
    }
    let known = tokenModels.map { $0.type }
    // Files before tokenizers 0.8 have no type; their BPE is known by its merges.
    guard let type = json["type"] else {
      guard json["merges"] != nil else {
        throw TokenizerError("model.type", "missing; \(supported(known)) supported")
      }
      return try BytePairModel(json, "model")
    }
    guard let part = tokenModels.first(where: { $0.type == type.stringValue }) else {
      throw unsupported("model.type", type, supported(known))
    }
    return try part.init(json, "model")
  }

  /// The steps of a pre-tokenizer, which must end in bytes.
  static func readSteps(_ json: JSON?, _ path: String) throws -> [any PreTokenizer] {
    guard let json, !json.isNull else { throw TokenizerError(path, "missing; `ByteLevel` is supported") }
    guard try type(json, path) == "Sequence" else {
      let step = try readStep(json, path)
      guard step.endsInBytes else {
        throw unsupported("\(path).type", json["type"] ?? json, "it must be or end in `ByteLevel`")
      }
      return [step]
    }
    guard let members = json["pretokenizers"]?.arrayValue else {
      throw wanted("a list", json, "pretokenizers", path)
    }
    guard !members.isEmpty else { throw TokenizerError("\(path).pretokenizers", "the list is empty") }
    return try members.enumerated().map { index, member in
      let memberPath = "\(path).pretokenizers[\(index)]"
      let step = try readStep(member, memberPath)
      // What follows `ByteLevel` would see the byte alphabet, not the text.
      guard step.endsInBytes == (index == members.count - 1) else {
        throw unsupported(
          "\(memberPath).type", member["type"] ?? member, "`ByteLevel` must come last, and only there")
      }
      // Each piece of the steps before would get a space, for which no published tokenizer asks.
      if index > 0, (step as? ByteLevelPreTokenizer)?.addsPrefixSpace == true {
        throw unsupported("\(memberPath).add_prefix_space", true, "after another step, `false` is")
      }
      return step
    }
  }

  private static func readStep(_ json: JSON, _ path: String) throws -> any PreTokenizer {
    let type = try Self.type(json, path)
    guard let part = preTokenizers.first(where: { $0.type == type }) else {
      throw unsupported(
        "\(path).type", json["type"] ?? json, supported(["Sequence"] + preTokenizers.map { $0.type }))
    }
    return try part.init(json, path)
  }

  // MARK: Post-processors

  /// What is done with the tokens of a text.
  struct PostProcessor {
    var begin: Begin?
    var trim: OffsetTrim?
  }

  /// A begin token as a post-processor names it.
  struct Begin {
    let spelling: String
    /// Which ids the post-processor puts for it, where it says so.
    let ids: JSON?
    /// Where it is declared.
    let path: String
  }

  static func readPostProcessor(_ json: JSON?, _ path: String) throws -> PostProcessor {
    guard let json, !json.isNull else { return PostProcessor() }
    switch try type(json, path) {
    case "ByteLevel":
      let trims = try flag(json, "trim_offsets", path, default: true)
      let keeps = try flag(json, "add_prefix_space", path, default: true)
      return PostProcessor(trim: trims ? OffsetTrim(keepsPrefixSpace: keeps) : nil)
    case "Sequence":
      guard let members = json["processors"]?.arrayValue else {
        throw wanted("a list", json, "processors", path)
      }
      var all = PostProcessor()
      for (index, member) in members.enumerated() {
        let found = try readPostProcessor(member, "\(path).processors[\(index)]")
        if found.begin != nil, all.begin != nil {
          throw unsupported("\(path).processors[\(index)]", member["type"] ?? member, "one template is")
        }
        // Offsets that were trimmed stay so.
        all = PostProcessor(begin: all.begin ?? found.begin, trim: all.trim ?? found.trim)
      }
      return all
    case "TemplateProcessing": return PostProcessor(begin: try readTemplate(json, path))
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
      return try addedToken(element, path, id: id, content: content)
    }
  }

  /// - Parameter special: where the object does not say it. Source: tokenizers `AddedToken`, where special tokens are not
  ///   normalized unless they say so.
  static func addedToken(
    _ json: JSON, _ path: String, id: Int32, content: String, special: Bool = false
  ) throws -> AddedToken {
    let special = try flag(json, "special", path, default: special)
    return AddedToken(
      id: id, content: content, special: special, lstrip: try flag(json, "lstrip", path, default: false),
      rstrip: try flag(json, "rstrip", path, default: false),
      singleWord: try flag(json, "single_word", path, default: false),
      normalized: try flag(json, "normalized", path, default: !special))
  }
}
