// Opening a model, whatever it is stored as: configuration, weights, tokenizer, chat template, conditioning.

import JSON
import System

/// A model on disk, checked against its configuration and ready to be read.
package struct Checkpoint: Sendable {
  package let path: String
  package let configuration: DecoderConfiguration
  /// Any of them ends a sample; the first is the one that training puts at a sample's end. See `EndTokens.swift`.
  package let endTokens: [Int32]
  /// The content of `generation_config.json`, carried through as it is.
  package let generationConfig: JSON?
  package let tensors: any TensorSource
  /// Absent when the directory has no tokenizer, or it was not read; see `requireTokenizer`.
  package let tokenizer: Tokenizer?
  /// Whether there is one, of a kind that is read.
  package let hasTokenizer: Bool
  /// Jinja, carried through as it is.
  package let chatTemplate: String?
  /// The content of `plumb.json`, if the model is one of ours.
  package let plumb: JSON?

  package func requireTokenizer() throws -> Tokenizer {
    guard let tokenizer else { throw FormatError(path: path, "the model has no tokenizer") }
    return tokenizer
  }
}

/// Opens a GGUF file, or a Hugging Face directory (`config.json` and the weights in a format of `formats`).
/// - Parameter readingTokenizer: whether the vocabulary is wanted, which takes most of the time.
/// - Throws: `FormatError` and `FileError`; always naming the file and what is wrong with it.
package func openCheckpoint(_ path: String, readingTokenizer: Bool = true) throws -> Checkpoint {
  let checkpoint =
    isDirectory(path) ? try openDirectory(path, readingTokenizer) : try openGGUF(path, readingTokenizer)
  try checkTensors(checkpoint)
  try checkTokens(checkpoint)
  return checkpoint
}

private func openGGUF(_ path: String, _ readingTokenizer: Bool) throws -> Checkpoint {
  let content = try MappedFile(path)
  guard GGUFFile.isFormat(of: content) else {
    throw FormatError(
      path: path,
      "expected a GGUF file or a folder with `config.json` and weights, found \(describeContent(of: content))"
    )
  }
  let file = try GGUFFile(path)
  let model = try GGUFModel(file)
  return Checkpoint(
    path: path, configuration: model.configuration, endTokens: ids(model.configuration.eosTokenIDs),
    generationConfig: nil, tensors: model,
    tokenizer: readingTokenizer ? try file.tokenizer() : nil, hasTokenizer: try file.hasTokenizer(),
    chatTemplate: try file.string("tokenizer.chat_template"), plumb: try plumb(file))
}

/// What a directory has as `plumb.json`, in the file's metadata.
private func plumb(_ file: GGUFFile) throws -> JSON? {
  guard let text = try file.string(GGUFFile.plumbKey) else { return .none }
  do {
    return try JSON(parsing: Array(text.utf8))
  } catch let error as JSONError {
    throw file.failure(GGUFFile.plumbKey, "not JSON: \(error)")
  }
}

private func openDirectory(_ directory: String, _ readingTokenizer: Bool) throws -> Checkpoint {
  let configPath = "\(directory)/config.json"
  guard fileExists(configPath) else {
    throw FormatError(path: directory, "expected a model directory, but it has no `config.json`")
  }
  let config = try readJSON(configPath)
  var configuration: DecoderConfiguration
  do {
    configuration = try DecoderConfiguration(huggingFace: config)
  } catch let error as ConfigurationError {
    throw FormatError(path: configPath, part: quoted(error.field), error.problem)
  }
  let generation = try optionalObject("\(directory)/generation_config.json")
  let endTokens: [Int]
  do {
    endTokens = try configuration.endTokens(generation: generation)
  } catch let error as ConfigurationError {
    throw FormatError(
      path: "\(directory)/generation_config.json", part: quoted(error.field), error.problem)
  }
  let stored = try openTensors(directory)
  configuration.head = try Head(of: stored, in: directory, config: config)
  let tensors = try RenamedTensors(stored, path: directory) { [configuration] name in
    name == configuration.head.tensorName
      ? name : configuration.family.type.layoutName(ofStored: name, configuration)
  }
  let settings = try optionalObject("\(directory)/tokenizer_config.json")
  let tokenizer =
    readingTokenizer ? try openTokenizer(inDirectory: directory, settings: settings, config: config) : nil
  return Checkpoint(
    path: directory, configuration: configuration, endTokens: ids(endTokens), generationConfig: generation,
    tensors: tensors, tokenizer: tokenizer,
    hasTokenizer: tokenizer != nil || fileExists("\(directory)/tokenizer.json")
      || VocabularyFiles.exist(in: directory),
    chatTemplate: try chatTemplate(directory, settings),
    plumb: try optionalObject("\(directory)/plumb.json"))
}

/// Ids that were held against the number of rows, which is far inside 32 bits.
private func ids(_ tokens: [Int]) -> [Int32] { tokens.map { Int32(truncatingIfNeeded: $0) } }

/// Of several named templates the one that transformers takes unasked.
private func chatTemplate(_ directory: String, _ settings: JSON?) throws -> String? {
  let path = "\(directory)/chat_template.jinja"
  if fileExists(path) { return String(decoding: try readSmallFile(path, limit: 1 << 24), as: UTF8.self) }
  guard let value = settings?["chat_template"], !value.isNull else { return nil }
  if let text = value.stringValue { return text }
  guard let templates = value.arrayValue else {
    throw FormatError(
      path: "\(directory)/tokenizer_config.json", part: "`chat_template`",
      "expected a string or a list of named templates, found \(value.kind)")
  }
  return templates.first { $0["name"] == "default" }?["template"]?.stringValue
}

/// Nil when there is no such file. (Not a `?:`, whose `nil` would be the JSON value `null`.)
/// - Throws: `FormatError` when it holds no JSON object.
func optionalObject(_ path: String) throws -> JSON? {
  guard fileExists(path) else { return .none }
  let json = try readJSON(path)
  guard json.objectValue != nil else {
    throw FormatError(path: path, part: "`$`", "expected an object, found \(json.kind)")
  }
  return json
}

/// Every token has a row of the embedding. Rows without a token are allowed: real models pad their embedding.
private func checkTokens(_ checkpoint: Checkpoint) throws {
  let rows = checkpoint.configuration.vocabularySize
  guard let tokenizer = checkpoint.tokenizer, tokenizer.count > rows else { return }
  let missing = (rows..<tokenizer.count).prefix(4).map { id in
    "\(id) \(quoted(tokenizer.spelling(Int32(truncatingIfNeeded: id)) ?? "", limit: 40))"
  }
  let more = tokenizer.count - rows - missing.count
  throw FormatError(
    path: checkpoint.path,
    "the embedding has \(rows) rows, so \(tokenizer.count - rows) of the tokenizer's \(tokenizer.count) tokens have none: "
      + missing.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
      + "; expected a row for each, so the tokenizer is another model's or the embedding was not resized")
}

/// Every tensor the configuration calls for is there, in its shape; no other is, but for those that are known to be inert.
private func checkTensors(_ checkpoint: Checkpoint) throws {
  let present = Set(checkpoint.tensors.names.map { UTF8Key($0) })
  var wanted: Set<UTF8Key> = []
  for tensor in checkpoint.configuration.layout.tensors {
    let (name, shape) = (tensor.name, tensor.shape)
    guard present.contains(UTF8Key(name)) else {
      throw FormatError(
        path: checkpoint.path, part: "tensor \(quoted(name))",
        "missing; the configuration needs it with shape \(shape)")
    }
    wanted.insert(UTF8Key(name))
    let found = try checkpoint.tensors.shape(of: name)
    guard found == shape else {
      throw FormatError(
        path: checkpoint.path, part: "tensor \(quoted(name))",
        "the configuration needs shape \(shape), found \(found)")
    }
    let storage = try checkpoint.tensors.storage(of: name)
    guard elementEncoding(named: storage) != nil else {
      throw FormatError(
        path: checkpoint.path, part: "tensor \(quoted(name))", unreadStorage(storage))
    }
  }
  for name in checkpoint.tensors.names where !wanted.contains(UTF8Key(name)) {
    throw FormatError(
      path: checkpoint.path, part: "tensor \(quoted(name))",
      "unexpected tensor: the configuration describes none of this name")
  }
}
