// Which tokenizer ids are of: two that make the same ids of every text have one name.

import JSON
import System

extension Tokenizer {
  /// SHA-256 over all that decides which ids a text has: vocabulary, merges, normalizer, pre-tokenizer and added tokens. Which tokens
  /// begin or end texts is not in it.
  /// - Parameter added: tokens that are not counted, such as those that a training appended.
  package func identity(without added: [String] = []) -> String {
    let appended = Set(added.map(UTF8Key.init))
    let tokens = addedTokens.filter { !appended.contains(UTF8Key($0.content)) }.sorted { $0.id < $1.id }
    let parts: JSON = [
      "added_tokens": .array(tokens.map(Self.json)), "model": model.json,
      "normalizer": normalizer?.json ?? .null, "pre_tokenizer": preTokenizer.json,
    ]
    return Digest.of(text: parts.text(.compact)).hex
  }
}
