// A tokenizer as metadata of a GGUF file.

import JSON
import System

extension Tokenizer {
  /// Adds what `GGUFFile.tokenizer` reads as a tokenizer that encodes and decodes alike.
  /// - Parameter rows: of the embedding; those without a token get a made-up one that is unused, as llama.cpp wants it.
  /// - Throws: `TokenizerError` for what GGUF cannot say.
  package func addGGUFMetadata(rows: Int, to metadata: inout GGUFMetadataOutput) throws {
    guard let model = model as? BytePairModel, decoder is ByteLevelDecoder else {
      throw TokenizerError("model", "\(self.model) cannot be written: GGUF's `gpt2` is byte-level BPE")
    }
    let pipeline = GGUFPipeline.known.first {
      $0.normalizer?.json == normalizer?.json && $0.preTokenizer.json == preTokenizer.json
        && $0.ignoresMerges == model.ignoresMerges
    }
    guard let pipeline else {
      let normalized = normalizer.map { "`\(type(of: $0).type)`, then " } ?? ""
      let merged = model.ignoresMerges ? ", with `ignore_merges`" : ""
      throw TokenizerError(
        "pre_tokenizer", "\(normalized)\(preTokenizer)\(merged) cannot be written: GGUF has no name for it")
    }
    metadata.add("tokenizer.ggml.model", "gpt2")
    metadata.add("tokenizer.ggml.pre", pipeline.names[0])
    let types = try ggufTypes()
    let ids = 0..<Int32(truncatingIfNeeded: count)
    let padding = (count..<max(rows, count)).map { "[PAD\($0)]" }
    if let taken = padding.first(where: { id(of: $0) != nil }) {
      throw TokenizerError(
        "vocabulary", "\(quoted(taken)) is in the way: it is what a row without a token is called")
    }
    metadata.add("tokenizer.ggml.tokens", ids.map { spelling($0) ?? "" } + padding)
    metadata.add(
      "tokenizer.ggml.token_type",
      (types + padding.map { _ in .unused }).map { Int32($0.rawValue) })
    let merges = try model.mergedPairs.map { left, right in
      let (left, right) = (model.vocabulary.tokens[Int(left)], model.vocabulary.tokens[Int(right)])
      guard !left.utf8.contains(0x20), !right.utf8.contains(0x20) else {
        throw TokenizerError(
          "model.merges", "\(quoted(left)) and \(quoted(right)): GGUF puts a space between two tokens")
      }
      return "\(left) \(right)"
    }
    metadata.add("tokenizer.ggml.merges", merges)
    for (name, id) in [("bos", beginToken), ("unknown", unknownToken), ("padding", padToken)] {
      if let id { metadata.add("tokenizer.ggml.\(name)_token_id", UInt32(bitPattern: id)) }
    }
    metadata.add("tokenizer.ggml.add_bos_token", addsBeginToken)
  }

  /// Of each token. The last must not be unused, or it would be taken for a row without a token.
  private func ggufTypes() throws -> [GGUFTokenType] {
    var types = [GGUFTokenType](repeating: .normal, count: count)
    for token in addedTokens {
      guard !token.lstrip, !token.rstrip else {
        throw TokenizerError(
          "added_tokens", "\(quoted(token.content)) takes the whitespace beside it, which GGUF cannot say")
      }
      guard !token.singleWord else {
        throw TokenizerError(
          "added_tokens", "\(quoted(token.content)) is found as a word alone, which GGUF cannot say")
      }
      types[Int(token.id)] = token.special ? .control : .userDefined
    }
    // GGUF knows one pass over the text; two differ where a token of one can overlap a token of the other.
    let (second, first) = (addedTokens.filter(\.normalized), addedTokens.filter { !$0.normalized })
    for token in second {
      if let other = first.first(where: { overlap(token.content, $0.content) }) {
        throw TokenizerError(
          "added_tokens",
          "\(quoted(token.content)) is found after \(quoted(other.content)), which GGUF cannot say and which matters where they overlap"
        )
      }
    }
    return types
  }
}

/// Whether a text can hold both so that they share bytes.
private func overlap(_ a: String, _ b: String) -> Bool {
  let (a, b) = (Array(a.utf8), Array(b.utf8))
  func ends(_ x: [UInt8], in y: [UInt8]) -> Bool {
    (1...max(1, min(x.count, y.count))).contains { x.suffix($0).elementsEqual(y.prefix($0)) }
  }
  func contains(_ x: [UInt8], _ y: [UInt8]) -> Bool {
    x.count >= y.count && (0...x.count - y.count).contains { x[$0...].starts(with: y) }
  }
  return ends(a, in: b) || ends(b, in: a) || contains(a, b) || contains(b, a)
}
