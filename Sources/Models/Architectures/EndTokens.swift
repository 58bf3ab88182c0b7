// Which tokens end a sample, of a Hugging Face directory: decided here and nowhere else. (`GGUFFile.endTokens` for a GGUF file.)

import JSON
import System

extension DecoderConfiguration {
  /// Any of them ends a sample; the first is the one that training puts at a sample's end.
  ///
  /// They are those of `generation_config.json` where it names any, else those of `config.json`. The first is `config.json`'s
  /// first where that is among them, else the file's own first; the others follow in the order of the file.
  ///
  /// Source: transformers' `generate`, which takes `eos_token_id` from `generation_config.json` where the file is there.
  /// Deviation: a `generation_config.json` without end tokens leaves those of `config.json` in force.
  /// - Parameter generation: the content of `generation_config.json`.
  /// - Throws: `ConfigurationError` naming the key of `generation_config.json`.
  func endTokens(generation: JSON?) throws -> [Int] {
    guard let generation else { return eosTokenIDs }
    guard generation.objectValue != nil else {
      throw ConfigurationError("$", "expected an object, found \(generation.kind)")
    }
    let named = try tokenIDs(generation["eos_token_id"], "eos_token_id")
    try checkTokenIDs(named, "eos_token_id")
    guard let own = eosTokenIDs.first, named.contains(own) else { return named.isEmpty ? eosTokenIDs : named }
    return [own] + named.filter { $0 != own }
  }

  /// Each must have a row in the embedding.
  func checkTokenIDs(_ ids: [Int], _ field: String) throws {
    for id in ids where id < 0 || id >= vocabularySize {
      throw ConfigurationError(field, "token id \(id) is outside the vocabulary of \(vocabularySize) rows")
    }
  }
}

/// One id or a list of them; none for null and for a key that is not there.
func tokenIDs(_ value: JSON?, _ key: String) throws -> [Int] {
  guard let value, !value.isNull else { return [] }
  guard let elements = value.arrayValue else { return [try tokenID(value, key)] }
  return try elements.enumerated().map { try tokenID($1, "\(key)[\($0)]") }
}

/// An id, written as an integer.
func tokenID(_ value: JSON, _ key: String) throws -> Int {
  guard case .int(let number) = value, let id = Int(exactly: number), id >= 0 else {
    throw ConfigurationError(key, "expected a token id, found \(quoted(value.text(), limit: 80))")
  }
  return id
}
