// The tokenizer that a GGUF file carries in its metadata.

import JSON
import System

extension GGUFFile {
  /// Whether the file carries a tokenizer, by its keys; the vocabulary is not read.
  /// - Throws: `FormatError` naming the key of a kind that is not read.
  func hasTokenizer() throws -> Bool {
    guard let model = try string("tokenizer.ggml.model") else { return false }
    guard model == "gpt2" else {
      throw failure("tokenizer.ggml.model", "\(quoted(model)) is not supported; `gpt2` (byte-level BPE) is")
    }
    _ = try pipeline()
    return true
  }

  /// Byte-level BPE (`tokenizer.ggml.model` = `gpt2`) with a pre-tokenizer that we know.
  /// - Returns: nil when the file carries no tokenizer at all.
  /// - Throws: `FormatError` naming the key.
  package func tokenizer() throws -> Tokenizer? {
    guard try hasTokenizer() else { return nil }
    let pipeline = try pipeline()
    guard var tokens = try strings("tokenizer.ggml.tokens"), !tokens.isEmpty else {
      throw failure("tokenizer.ggml.tokens", "expected an array of strings that is not empty")
    }
    let types = try integers("tokenizer.ggml.token_type") ?? []
    guard types.isEmpty || types.count == tokens.count else {
      throw failure("tokenizer.ggml.token_type", "\(types.count) types for \(tokens.count) tokens")
    }
    guard let mergeTexts = try strings("tokenizer.ggml.merges") else {
      throw failure("tokenizer.ggml.merges", "expected an array of strings, but the key is missing")
    }
    let merges = try mergeTexts.enumerated().map { index, text in
      guard let merge = BytePairModel.splitMerge(text) else {
        throw failure("tokenizer.ggml.merges", "entry \(index), \(quoted(text)): expected two tokens")
      }
      return merge
    }
    // llama.cpp's converter gives a made-up, unused token to each row of the embedding that has none.
    let unused = types.reversed().prefix { $0 == GGUFTokenType.unused.rawValue }.count
    if unused < tokens.count { tokens.removeLast(unused) }
    let added = try addedTypes(types.prefix(tokens.count)).map { id, isSpecial in
      AddedToken(id: Int32(truncatingIfNeeded: id), content: tokens[id], special: isSpecial)
    }
    do {
      let begin = try specialTokenID("tokenizer.ggml.bos_token_id", count: tokens.count)
      var tokenizer = try Tokenizer(
        normalizer: pipeline.normalizer, preTokenizer: pipeline.preTokenizer,
        model: BytePairModel(
          Vocabulary(tokens) { "tokenizer.ggml.tokens[\($0)]" }, merges: merges,
          ignoreMerges: pipeline.ignoresMerges,
          mergeLocation: { "tokenizer.ggml.merges[\($0)]" }),
        addedTokens: added, addsBeginToken: try addsBeginToken(begin, unasked: pipeline.addsBeginToken))
      func named(_ key: String) throws -> Int32? {
        try specialTokenID(key, count: tokens.count).map { Int32(truncatingIfNeeded: $0) }
      }
      tokenizer.beginToken = begin.map { Int32(truncatingIfNeeded: $0) }
      tokenizer.endToken = try named("tokenizer.ggml.eos_token_id")
      tokenizer.padToken = try named("tokenizer.ggml.padding_token_id")
      tokenizer.unknownToken = try named("tokenizer.ggml.unknown_token_id")
      return tokenizer
    } catch let error as TokenizerError {
      throw failure(error.location, error.problem)
    }
  }

  /// Of the tokens that are found in a text as they stand; the vocabulary is walked over and not read.
  /// - Throws: `FormatError` naming the key.
  func addedTokens() throws -> [AddedToken] {
    guard try hasTokenizer(), let types = try integers("tokenizer.ggml.token_type") else { return [] }
    let added = try addedTypes(types[...])
    let texts = try strings("tokenizer.ggml.tokens", at: Set(added.map(\.id))) ?? [:]
    return added.compactMap { id, isSpecial in
      texts[id].map { AddedToken(id: Int32(truncatingIfNeeded: id), content: $0, special: isSpecial) }
    }
  }

  /// Ids of added tokens, and whether each is special.
  private func addedTypes(_ types: ArraySlice<Int>) throws -> [(id: Int, isSpecial: Bool)] {
    var added: [(id: Int, isSpecial: Bool)] = []
    for (id, type) in types.enumerated() {
      switch GGUFTokenType(rawValue: type) {
      case .normal, .unused: break
      case .control: added.append((id, true))
      case .userDefined: added.append((id, false))
      case nil:
        throw failure("tokenizer.ggml.token_type", "entry \(id) is \(type); 1, 3, 4 and 5 are supported")
      }
    }
    return added
  }

  /// In the order in which they are read: end of sequence, of a turn, of a message.
  static let endTokenNames = ["eos", "eot", "eom"]

  /// Which tokens end a sample, each once; the first, `eos_token_id`, is the one that training puts at a sample's end.
  /// Deviation: llama.cpp also guesses end tokens from how they are spelled; here the file's keys decide alone.
  func endTokens(count: Int) throws -> [Int] {
    var ids: [Int] = []
    for name in Self.endTokenNames {
      if let id = try specialTokenID("tokenizer.ggml.\(name)_token_id", count: count), !ids.contains(id) {
        ids.append(id)
      }
    }
    return ids
  }

  /// Whether texts begin with the begin token. Source: llama.cpp `llama-vocab.cpp`, where the pre-tokenizer of Llama 3 adds
  /// it unless the file says otherwise, and those of SmolLM and GPT-2 do not.
  private func addsBeginToken(_ begin: Int?, unasked: Bool) throws -> Bool {
    let key = "tokenizer.ggml.add_bos_token"
    guard let stated = try bool(key) else { return begin != nil && unasked }
    guard !stated || begin != nil else {
      throw failure(
        key, "`true`, but `tokenizer.ggml.bos_token_id` is missing; expected it to name the begin token")
    }
    return stated
  }

  private func pipeline() throws -> GGUFPipeline {
    if try bool("tokenizer.ggml.add_space_prefix") == true {
      throw failure("tokenizer.ggml.add_space_prefix", "`true` is not supported")
    }
    if try bool("tokenizer.ggml.add_eos_token") == true {
      throw failure("tokenizer.ggml.add_eos_token", "`true` is not supported")
    }
    let key = "tokenizer.ggml.pre"
    let name = try string(key)
    if let name, let pipeline = GGUFPipeline.known.first(where: { $0.names.contains(name) }) {
      return pipeline
    }
    // What llama.cpp takes then cuts texts in another way than the model was trained with.
    if name == nil || name == "default" {
      throw failure(
        key,
        "\(name.map { quoted($0) } ?? "a missing pre-tokenizer") is not supported: the file's converter did not know how the model cuts texts; give the model its `tokenizer.json`"
      )
    }
    let names = GGUFPipeline.known.flatMap(\.names).map { "`\($0)`" }
    throw failure(
      key,
      "\(quoted(name ?? "")) is not supported; \(names.dropLast().joined(separator: ", ")) and \(names.last ?? "") are"
    )
  }
}
