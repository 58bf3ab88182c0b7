// The tokenizer of a model: `tokenizer.json`, or `vocab.json` and `merges.txt`, with the settings beside it.

import JSON
import System

/// Opens the tokenizer of a model directory, which needs no model then, of a GGUF file, or a `tokenizer.json`.
/// - Throws: `FormatError` and `FileError`.
package func openTokenizer(_ path: String) throws -> Tokenizer {
  if !isDirectory(path) {
    guard GGUFFile.isFormat(of: try MappedFile(path)) else { return try readTokenizer(path) }
    guard let tokenizer = try GGUFFile(path).tokenizer() else {
      throw FormatError(path: path, "the file has no tokenizer")
    }
    return tokenizer
  }
  let tokenizer = try openTokenizer(
    inDirectory: path, settings: try optionalObject("\(path)/tokenizer_config.json"),
    config: try optionalObject("\(path)/config.json"))
  guard let tokenizer else {
    throw FormatError(
      path: path, "expected `tokenizer.json`, or `vocab.json` and `merges.txt`; found neither")
  }
  return tokenizer
}

/// The tokens of a model's tokenizer that are found in a text as they stand: all of the vocabulary that is read where that can be.
/// - Parameter path: of a model, as of `openTokenizer`.
/// - Throws: `FormatError` and `FileError`.
package func openAddedTokens(_ path: String) throws -> [AddedToken] {
  guard isDirectory(path) else {
    return GGUFFile.isFormat(of: try MappedFile(path))
      ? try GGUFFile(path).addedTokens() : try readAddedTokens(path)
  }
  let file = "\(path)/tokenizer.json"
  return fileExists(file) ? try readAddedTokens(file) : try openTokenizer(path).addedTokens
}

private func readAddedTokens(_ path: String) throws -> [AddedToken] {
  let json = try readJSON(path, maximumCommas: maximumTokenizerCommas)
  do { return try TokenizerJSON.readAddedTokens(json["added_tokens"]) } catch let error as TokenizerError {
    throw FormatError(path: path, part: quoted(error.location), error.problem)
  }
}

/// - Parameters:
///   - settings: `tokenizer_config.json`, whose named tokens count.
///   - config: `config.json`, which says what a tokenizer without a `tokenizer.json` is where its own settings do not.
/// - Returns: nil for a directory without one.
func openTokenizer(inDirectory directory: String, settings: JSON?, config: JSON?) throws -> Tokenizer? {
  let path = "\(directory)/tokenizer.json"
  guard fileExists(path) else {
    return VocabularyFiles.exist(in: directory)
      ? try VocabularyFiles(directory, settings: settings, config: config).tokenizer() : nil
  }
  var tokenizer = try readTokenizer(path)
  func named(_ key: String) throws -> Int32? {
    guard let value = settings?[key], !value.isNull else { return nil }
    // Older files hold the whole added token.
    guard let spelling = value.stringValue ?? value["content"]?.stringValue else {
      throw FormatError(
        path: "\(directory)/tokenizer_config.json", part: quoted(key), "expected a token, found \(value.kind)"
      )
    }
    guard let id = tokenizer.id(of: spelling) else {
      throw FormatError(
        path: "\(directory)/tokenizer_config.json", part: quoted(key),
        "\(quoted(spelling)) is not in the vocabulary")
    }
    return id
  }
  // What the post-processor puts first is what texts begin with, whatever else is called so.
  if !tokenizer.addsBeginToken { tokenizer.beginToken = try named("bos_token") }
  tokenizer.endToken = try named("eos_token")
  tokenizer.padToken = try named("pad_token")
  tokenizer.unknownToken = try named("unk_token")
  return tokenizer
}

/// Reads a `tokenizer.json`.
package func readTokenizer(_ path: String) throws -> Tokenizer {
  do {
    return try Tokenizer(huggingFace: try readJSON(path, maximumCommas: maximumTokenizerCommas))
  } catch let error as TokenizerError {
    throw FormatError(path: path, part: quoted(error.location), error.problem)
  }
}
