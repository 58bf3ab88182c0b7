// The tokenizer that a GGUF file carries in its metadata.

import JSON

extension GGUFFile {
  /// Byte-level BPE (`tokenizer.ggml.model` = `gpt2`) with a pre-tokenizer that we know.
  /// - Returns: nil when the file carries no tokenizer at all.
  /// - Throws: `FormatError` naming the key.
  package func tokenizer() throws -> Tokenizer? {
    guard let model = try string("tokenizer.ggml.model") else { return nil }
    guard model == "gpt2" else {
      throw failure("tokenizer.ggml.model", "\(quoted(model)) is not supported; `gpt2` (byte-level BPE) is")
    }
    let preTokenizer = try preTokenizer()
    guard let tokens = try strings("tokenizer.ggml.tokens"), !tokens.isEmpty else {
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
      guard let merge = TokenizerJSON.splitMerge(text) else {
        throw failure("tokenizer.ggml.merges", "entry \(index), \(quoted(text)): expected two tokens")
      }
      return merge
    }
    var added: [AddedToken] = []
    for (id, type) in types.enumerated() {
      switch type {
      // Normal, and unused: padding of the vocabulary that nothing produces.
      case 1, 5: break
      case 3: added.append(AddedToken(id: Int32(truncatingIfNeeded: id), content: tokens[id], special: true))
      case 4: added.append(AddedToken(id: Int32(truncatingIfNeeded: id), content: tokens[id], special: false))
      default:
        throw failure("tokenizer.ggml.token_type", "entry \(id) is \(type); 1, 3, 4 and 5 are supported")
      }
    }
    do {
      var tokenizer = try Tokenizer(
        vocabulary: tokens, merges: merges, preTokenizer: preTokenizer, addedTokens: added,
        ignoreMerges: preTokenizer == PreTokenizer([.split(.llama3)]),
        addsBeginToken: try bool("tokenizer.ggml.add_bos_token") ?? false,
        vocabularyLocation: { "tokenizer.ggml.tokens[\($0)]" },
        mergeLocation: { "tokenizer.ggml.merges[\($0)]" })
      tokenizer.beginToken = try tokenID("tokenizer.ggml.bos_token_id", count: tokens.count)
      tokenizer.endToken = try tokenID("tokenizer.ggml.eos_token_id", count: tokens.count)
      tokenizer.padToken = try tokenID("tokenizer.ggml.padding_token_id", count: tokens.count)
      tokenizer.unknownToken = try tokenID("tokenizer.ggml.unknown_token_id", count: tokens.count)
      return tokenizer
    } catch let error as TokenizerError {
      throw failure(error.location, error.problem)
    }
  }

  private func preTokenizer() throws -> PreTokenizer {
    if try bool("tokenizer.ggml.add_space_prefix") == true {
      throw failure("tokenizer.ggml.add_space_prefix", "`true` is not supported")
    }
    if try bool("tokenizer.ggml.add_eos_token") == true {
      throw failure("tokenizer.ggml.add_eos_token", "`true` is not supported")
    }
    let name = try string("tokenizer.ggml.pre")
    switch name {
    case "smollm": return .smollm
    case "gpt-2": return .gpt2
    case "llama-bpe", "llama3", "llama-v3": return PreTokenizer([.split(.llama3)])
    // Qwen 2 normalises to NFC, which we do not.
    default:
      throw failure(
        "tokenizer.ggml.pre",
        "\(name.map { quoted($0) } ?? "a missing pre-tokenizer") is not supported; `smollm`, `gpt-2` and `llama-bpe` are"
      )
    }
  }

  private func tokenID(_ key: String, count: Int) throws -> Int32? {
    guard let id = try integer(key) else { return nil }
    guard id >= 0, id < count else {
      throw failure(key, "token id \(id) is outside the vocabulary of \(count)")
    }
    return Int32(truncatingIfNeeded: id)
  }
}
