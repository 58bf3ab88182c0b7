// The tokenizer that a GGUF file carries in its metadata.

import JSON
import System

extension GGUFFile {
  /// Byte-level BPE (`tokenizer.ggml.model` = `gpt2`) with a pre-tokenizer that we know.
  /// - Returns: nil when the file carries no tokenizer at all.
  /// - Throws: `FormatError` naming the key.
  package func tokenizer() throws -> Tokenizer? {
    guard let model = try string("tokenizer.ggml.model") else { return nil }
    guard model == "gpt2" else {
      throw failure("tokenizer.ggml.model", "\(quoted(model)) is not supported; `gpt2` (byte-level BPE) is")
    }
    let (preTokenizer, isLlama3) = try preTokenizer()
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
      guard let merge = BytePairModel.splitMerge(text) else {
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
      let begin = try specialTokenID("tokenizer.ggml.bos_token_id", count: tokens.count)
      var tokenizer = try Tokenizer(
        preTokenizer: preTokenizer,
        model: BytePairModel(
          Vocabulary(tokens) { "tokenizer.ggml.tokens[\($0)]" }, merges: merges, ignoreMerges: isLlama3,
          mergeLocation: { "tokenizer.ggml.merges[\($0)]" }),
        addedTokens: added, addsBeginToken: try addsBeginToken(begin, isLlama3: isLlama3))
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

  /// Which tokens end a sample, each once; the first, `eos_token_id`, is the one that training puts at a sample's end.
  /// Deviation: llama.cpp also guesses end tokens from how they are spelled; here the file's keys decide alone.
  func endTokens(count: Int) throws -> [Int] {
    var ids: [Int] = []
    for name in ["eos", "eot", "eom"] {
      if let id = try specialTokenID("tokenizer.ggml.\(name)_token_id", count: count), !ids.contains(id) {
        ids.append(id)
      }
    }
    return ids
  }

  /// Whether texts begin with the begin token. Source: llama.cpp `llama-vocab.cpp`, where the pre-tokenizer of Llama 3 adds
  /// it unless the file says otherwise, and those of SmolLM and GPT-2 do not.
  private func addsBeginToken(_ begin: Int?, isLlama3: Bool) throws -> Bool {
    let key = "tokenizer.ggml.add_bos_token"
    guard let stated = try bool(key) else { return begin != nil && isLlama3 }
    guard !stated || begin != nil else {
      throw failure(
        key, "`true`, but `tokenizer.ggml.bos_token_id` is missing; expected it to name the begin token")
    }
    return stated
  }

  private func preTokenizer() throws -> (steps: PreTokenizerSteps, isLlama3: Bool) {
    if try bool("tokenizer.ggml.add_space_prefix") == true {
      throw failure("tokenizer.ggml.add_space_prefix", "`true` is not supported")
    }
    if try bool("tokenizer.ggml.add_eos_token") == true {
      throw failure("tokenizer.ggml.add_eos_token", "`true` is not supported")
    }
    let name = try string("tokenizer.ggml.pre")
    switch name {
    case "smollm": return (.smollm, false)
    case "gpt-2": return (.gpt2, false)
    case "llama-bpe", "llama3", "llama-v3": return (.llama3, true)
    // Qwen 2 normalises to NFC, which we do not.
    default:
      throw failure(
        "tokenizer.ggml.pre",
        "\(name.map { quoted($0) } ?? "a missing pre-tokenizer") is not supported; `smollm`, `gpt-2` and `llama-bpe` are"
      )
    }
  }
}
