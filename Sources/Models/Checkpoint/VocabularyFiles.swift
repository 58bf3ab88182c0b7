// `vocab.json` and `merges.txt`: byte-level BPE as it was published before `tokenizer.json`, with the tokens added beside it.

import JSON
import System

/// Source: transformers `GPT2Tokenizer`, `GPTNeoXTokenizer` and `PreTrainedTokenizerBase._from_pretrained`: which files count,
/// which tokens are added, and in which order. Deviation: an added token keeps the id that its file gives, or is refused.
struct VocabularyFiles {
  private let directory: String
  /// The file that names tokens and flags; `special_tokens_map.json` goes over it.
  private let settings: JSON?
  private let kind: Kind

  static func exist(in directory: String) -> Bool {
    fileExists("\(directory)/vocab.json") && fileExists("\(directory)/merges.txt")
  }

  /// Classes of transformers whose tokenizer these files are.
  private enum Kind: String, CaseIterable {
    case gpt2 = "GPT2Tokenizer"
    case gptNeoX = "GPTNeoXTokenizer"

    var modelTypes: [String] { self == .gpt2 ? ["gpt2", "gptj", "gpt_neo"] : ["gpt_neox"] }
    var normalizer: (any Normalizer)? { self == .gpt2 ? nil : NFCNormalizer() }

    /// What a token is called where the settings do not say it.
    func token(named key: String) -> String? {
      switch key {
      case "bos_token", "eos_token", "unk_token": "<|endoftext|>"
      case "pad_token" where self == .gptNeoX: "<|padding|>"
      default: nil
      }
    }
  }

  /// - Throws: `FormatError` for another class of tokenizers: files of the same names mean other things there.
  init(_ directory: String, settings: JSON?, config: JSON?) throws {
    self.directory = directory
    self.settings = settings
    let classes = Kind.allCases.map { "`\($0.rawValue)`" }.joined(separator: " and ")
    for (json, file) in [(settings, "tokenizer_config.json"), (config, "config.json")] {
      guard let name = json?["tokenizer_class"]?.stringValue else { continue }
      guard let kind = Kind.allCases.first(where: { [$0.rawValue, $0.rawValue + "Fast"].contains(name) })
      else {
        throw FormatError(
          path: "\(directory)/\(file)", part: "`tokenizer_class`",
          "\(quoted(name)) without a `tokenizer.json` is not supported; \(classes) are")
      }
      self.kind = kind
      return
    }
    guard let type = config?["model_type"]?.stringValue else {
      kind = .gpt2
      return
    }
    guard let kind = Kind.allCases.first(where: { $0.modelTypes.contains(type) }) else {
      throw FormatError(
        path: "\(directory)/config.json", part: "`model_type`",
        "the tokenizer of \(quoted(type)) without a `tokenizer.json` is not known; those of \(classes) are")
    }
    self.kind = kind
  }

  func tokenizer() throws -> Tokenizer {
    let model = try model()
    let named = try namedTokens()
    guard try !flag("add_eos_token") else { throw failure("add_eos_token", "`true` is not supported") }
    let added = try addedTokens(named, model.vocabulary)
    do {
      var tokenizer = try Tokenizer(
        normalizer: kind.normalizer,
        preTokenizer: PreTokenizerSteps([
          ByteLevelPreTokenizer(addsPrefixSpace: try flag("add_prefix_space"), usesRegex: true)
        ]), model: model, addedTokens: added,
        addsBeginToken: try flag("add_bos_token") && named.contains { $0.key == "bos_token" })
      func id(_ key: String) -> Int32? {
        named.first { $0.key == key }.flatMap { tokenizer.id(of: $0.content) }
      }
      tokenizer.beginToken = id("bos_token")
      tokenizer.endToken = id("eos_token")
      tokenizer.padToken = id("pad_token")
      tokenizer.unknownToken = id("unk_token")
      return tokenizer
    } catch let error as TokenizerError {
      throw FormatError(path: directory, part: quoted(error.location), error.problem)
    }
  }

  // MARK: The model

  private func model() throws -> BytePairModel {
    let path = "\(directory)/vocab.json"
    let vocabulary: Vocabulary
    do {
      vocabulary = try Vocabulary(try readJSON(path, maximumCommas: maximumTokenizerCommas), "$")
    } catch let error as TokenizerError {
      throw FormatError(path: path, part: quoted(error.location), error.problem)
    }
    let merges = try merges()
    do {
      return try BytePairModel(vocabulary, merges: merges.map(\.pair)) { "line \(merges[$0].line)" }
    } catch let error as TokenizerError {
      throw FormatError(path: "\(directory)/merges.txt", part: error.location, error.problem)
    }
  }

  /// Twice as many as the largest that are published; they bound the memory and the time of reading.
  private static let mostLines = 1_000_000

  /// A merge a line; lines that begin with `#version` are none.
  private func merges() throws -> [(line: Int, pair: (left: String, right: String))] {
    let path = "\(directory)/merges.txt"
    let bytes = try readSmallFile(path, limit: 1 << 27)
    guard bytes.lazy.filter({ $0 == 0x0A }).prefix(Self.mostLines + 1).count <= Self.mostLines else {
      throw FormatError(path: path, "more than \(Self.mostLines) lines")
    }
    var merges: [(line: Int, pair: (left: String, right: String))] = []
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let line = line.last == 0x0D ? line.dropLast() : line
      if line.starts(with: "#version".utf8) || (line.isEmpty && index == lines.count - 1) { continue }
      func failure(_ problem: String) -> FormatError {
        FormatError(path: path, part: "line \(index + 1)", problem)
      }
      guard let text = String(validating: line, as: UTF8.self) else {
        throw failure("expected two tokens, found bytes that are no UTF-8")
      }
      guard let pair = BytePairModel.splitMerge(text) else {
        throw failure("expected two tokens with a space between, found \(quoted(text, limit: 80))")
      }
      merges.append((index + 1, pair))
    }
    return merges
  }

  // MARK: Added tokens

  /// A token that has a part to play, by the key that gives it that part.
  private struct NamedToken {
    let key: String
    let content: String
    /// With the flags of its own, where it has any.
    let json: JSON
    let file: String
  }

  private static let namedKeys = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]
  private static let listKeys = ["extra_special_tokens", "additional_special_tokens"]

  /// In the order in which those without an id get one: by key, then those that only the files know, then lists.
  private func namedTokens() throws -> [NamedToken] {
    var files = [("tokenizer_config.json", settings)]
    if settings?["added_tokens_decoder"] == nil {
      files.insert(
        ("special_tokens_map.json", try optionalObject("\(directory)/special_tokens_map.json")), at: 0)
    }
    func stated(_ key: String) -> (json: JSON, file: String)? {
      for (file, json) in files { if let value = json?[key] { return (value, file) } }
      return nil
    }
    func token(_ key: String, _ json: JSON, _ file: String) throws -> NamedToken {
      guard let content = json.stringValue ?? json["content"]?.stringValue, !content.isEmpty else {
        throw failure(key, "expected a token, found \(quoted(json.text(), limit: 80))", in: file)
      }
      return NamedToken(key: key, content: content, json: json, file: file)
    }
    var tokens: [NamedToken] = []
    for key in Self.namedKeys {
      if let (json, file) = stated(key) {
        if !json.isNull { tokens.append(try token(key, json, file)) }
      } else if let content = kind.token(named: key) {
        tokens.append(
          NamedToken(key: key, content: content, json: .string(content), file: "tokenizer_config.json"))
      }
    }
    for (key, value) in settings?.objectValue?.members ?? [] {
      guard key.hasSuffix("_token"), !Self.namedKeys.contains(key), value.stringValue != nil else { continue }
      tokens.append(try token(key, value, "tokenizer_config.json"))
    }
    for key in Self.listKeys {
      guard let (json, file) = stated(key), !json.isNull else { continue }
      guard let list = json.arrayValue else {
        throw failure(key, "expected a list, found \(json.kind)", in: file)
      }
      for (index, element) in list.enumerated() {
        tokens.append(try token("\(key)[\(index)]", element, file))
      }
    }
    return tokens
  }

  /// Those that a file gives an id, by id, then the named ones that are not among them.
  private func addedTokens(_ named: [NamedToken], _ vocabulary: Vocabulary) throws -> [AddedToken] {
    let namedContents = Set(named.map { UTF8Key($0.content) })
    var added = try tokensWithIDs(namedContents)
    var known = Set(added.map { UTF8Key($0.content) })
    var next = vocabulary.tokens.count + added.filter { vocabulary[$0.content] == nil }.count
    for token in named where known.insert(UTF8Key(token.content)).inserted {
      let id = vocabulary[token.content] ?? Int32(truncatingIfNeeded: next)
      if vocabulary[token.content] == nil { next += 1 }
      added.append(try self.token(token.json, token.content, id, isSpecial: true, token.key, in: token.file))
    }
    return added
  }

  private func tokensWithIDs(_ named: Set<UTF8Key>) throws -> [AddedToken] {
    var tokens: [AddedToken] = []
    if let stated = settings?["added_tokens_decoder"] {
      guard let members = stated.objectValue?.members else {
        throw failure("added_tokens_decoder", "expected an object, found \(stated.kind)")
      }
      for (key, json) in members {
        let path = "added_tokens_decoder.\(key)"
        guard let id = Int32(key), id >= 0 else { throw failure(path, "expected a token id as the key") }
        guard let content = json["content"]?.stringValue else {
          throw failure(path, "expected an object with a string `content`")
        }
        tokens.append(
          try token(
            json, content, id, isSpecial: named.contains(UTF8Key(content)), path, in: "tokenizer_config.json")
        )
      }
    } else {
      let file = "added_tokens.json"
      for (content, json) in try optionalObject("\(directory)/\(file)")?.objectValue?.members ?? [] {
        guard case .int(let number) = json, let id = Int32(exactly: number), id >= 0 else {
          throw failure(content, "expected a token id, found \(quoted(json.text(), limit: 80))", in: file)
        }
        let isSpecial = named.contains(UTF8Key(content))
        tokens.append(AddedToken(id: id, content: content, special: isSpecial, normalized: !isSpecial))
      }
    }
    return tokens.sorted { $0.id < $1.id }
  }

  /// An added token with its flags. One that is named is special, whatever else is said of it.
  private func token(
    _ json: JSON, _ content: String, _ id: Int32, isSpecial: Bool, _ key: String, in file: String
  ) throws -> AddedToken {
    do {
      let stated = try TokenizerJSON.addedToken(json, key, id: id, content: content, special: isSpecial)
      return AddedToken(
        id: id, content: content, special: stated.special || isSpecial, lstrip: stated.lstrip,
        rstrip: stated.rstrip, singleWord: stated.singleWord, normalized: stated.normalized)
    } catch let error as TokenizerError {
      throw failure(error.location, error.problem, in: file)
    }
  }

  // MARK: Settings

  private func flag(_ key: String) throws -> Bool {
    guard let value = settings?[key], !value.isNull else { return false }
    guard let flag = value.boolValue else { throw failure(key, "expected a boolean, found \(value.kind)") }
    return flag
  }

  private func failure(_ key: String, _ problem: String, in file: String = "tokenizer_config.json")
    -> FormatError
  {
    FormatError(path: "\(directory)/\(file)", part: quoted(key), problem)
  }
}
