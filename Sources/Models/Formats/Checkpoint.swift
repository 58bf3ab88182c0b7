// Opening a model, whatever it is stored as: configuration, weights, tokenizer, chat template, conditioning.

import JSON

/// A model on disk, checked against its configuration and ready to be read.
package struct Checkpoint: Sendable {
  package let path: String
  package let configuration: DecoderConfiguration
  package let tensors: any TensorSource
  /// Absent when the directory has no tokenizer; see `requireTokenizer`.
  package let tokenizer: Tokenizer?
  /// Jinja, carried through as it is.
  package let chatTemplate: String?
  /// The content of `plumb.json`, if the model is one of ours.
  package let plumb: JSON?

  /// Whether it has a head of one output, `score.weight`, in place of a language model's.
  package var isRewardModel: Bool { hasRewardHead(tensors) }

  package func requireTokenizer() throws -> Tokenizer {
    guard let tokenizer else { throw FormatError(path: path, "the model has no tokenizer") }
    return tokenizer
  }

  /// How many values of each tensor are NaN or infinite; tensors without any are left out. Reads every weight.
  package func nonFiniteCounts() throws -> [(name: String, count: Int)] {
    try configuration.tensorShapes.compactMap { name, _ in
      let count = try tensors.floats(name).reduce(0) { $1.isFinite ? $0 : $0 + 1 }
      return count == 0 ? nil : (name, count)
    }
  }
}

/// Opens a GGUF file, or a Hugging Face directory (`config.json` and safetensors).
/// - Throws: `FormatError` and `FileError`; always naming the file and what is wrong with it.
package func openCheckpoint(_ path: String) throws -> Checkpoint {
  let checkpoint = isDirectory(path) ? try openDirectory(path) : try openGGUF(path)
  try checkTensors(checkpoint)
  if let tokenizer = checkpoint.tokenizer, tokenizer.count > checkpoint.configuration.vocabularySize {
    throw FormatError(
      path: path,
      "the tokenizer has \(tokenizer.count) tokens, but the embedding has only \(checkpoint.configuration.vocabularySize) rows"
    )
  }
  return checkpoint
}

private func openGGUF(_ path: String) throws -> Checkpoint {
  let file = try GGUFFile(path)
  let llama = try GGUFLlama(file)
  return Checkpoint(
    path: path, configuration: llama.configuration, tensors: llama, tokenizer: try file.tokenizer(),
    chatTemplate: try file.string("tokenizer.chat_template"), plumb: nil)
}

private func openDirectory(_ directory: String) throws -> Checkpoint {
  let configPath = "\(directory)/config.json"
  guard fileExists(configPath) else {
    throw FormatError(path: directory, "expected a model directory, but it has no `config.json`")
  }
  var configuration: DecoderConfiguration
  do {
    configuration = try DecoderConfiguration(huggingFace: try readJSON(configPath))
  } catch let error as ConfigurationError {
    throw FormatError(path: configPath, part: quoted(error.field), error.problem)
  }
  let tensors = try openTensors(directory)
  // `LlamaForSequenceClassification` has no other head, whatever its configuration says of tying it.
  if hasRewardHead(tensors) { configuration.tiedEmbeddings = true }
  let settings = try optionalJSON("\(directory)/tokenizer_config.json")
  let tokenizer = try openTokenizer(directory, settings)
  let templatePath = "\(directory)/chat_template.jinja"
  let chatTemplate =
    fileExists(templatePath)
    ? String(decoding: try readSmallFile(templatePath, limit: 1 << 24), as: UTF8.self)
    : settings?["chat_template"]?.stringValue
  return Checkpoint(
    path: directory, configuration: configuration, tensors: tensors, tokenizer: tokenizer,
    chatTemplate: chatTemplate,
    plumb: try optionalJSON("\(directory)/plumb.json"))
}

private func hasRewardHead(_ tensors: any TensorSource) -> Bool {
  tensors.names.contains { $0.utf8.elementsEqual("score.weight".utf8) }
}

private func openTensors(_ directory: String) throws -> any TensorSource {
  let single = "\(directory)/model.safetensors"
  let index = "\(directory)/model.safetensors.index.json"
  if fileExists(single) { return try SafeTensorsFile(single) }
  if fileExists(index) { return try ShardedSafeTensors(indexPath: index, directory: directory) }
  let pickle = "pytorch_model.bin"
  if fileExists("\(directory)/\(pickle)") {
    throw FormatError(
      path: directory,
      "found `\(pickle)`, a Python pickle, which Plumb does not read; convert it to `model.safetensors`")
  }
  throw FormatError(
    path: directory, "expected `model.safetensors` or `model.safetensors.index.json`, found neither")
}

/// The tokenizer of a directory, with the named tokens of `tokenizer_config.json`.
private func openTokenizer(_ directory: String, _ settings: JSON?) throws -> Tokenizer? {
  let path = "\(directory)/tokenizer.json"
  guard fileExists(path) else { return nil }
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
  if let begin = try named("bos_token") { tokenizer.beginToken = begin }
  tokenizer.endToken = try named("eos_token")
  tokenizer.padToken = try named("pad_token")
  tokenizer.unknownToken = try named("unk_token")
  return tokenizer
}

/// Reads a `tokenizer.json`.
package func readTokenizer(_ path: String) throws -> Tokenizer {
  do {
    return try Tokenizer(huggingFace: try readJSON(path))
  } catch let error as TokenizerError {
    throw FormatError(path: path, part: quoted(error.location), error.problem)
  }
}

/// Reads a small JSON file of a model.
package func readJSON(_ path: String) throws -> JSON {
  let file = try MappedFile(path)
  let limit = 1 << 27
  guard file.count <= limit else {
    throw FormatError(path: path, "the file has \(file.count) bytes, more than the \(limit) allowed here")
  }
  do {
    return try withExtendedLifetime(file) { try JSON(parsing: file.bytes) }
  } catch let error as JSONError {
    let first = file.bytes.first
    let found = first == UInt8(ascii: "{") ? "" : "; found \(whatItIs(file))"
    throw FormatError(path: path, offset: error.offset, "not JSON: \(error)\(found)")
  }
}

/// Nil when there is no such file. (Not a `?:`, whose `nil` would be the JSON value `null`.)
private func optionalJSON(_ path: String) throws -> JSON? {
  guard fileExists(path) else { return .none }
  return try readJSON(path)
}

/// Every tensor the configuration calls for is there, in its shape; no other is, but for those that are known to be inert.
private func checkTensors(_ checkpoint: Checkpoint) throws {
  let present = Set(checkpoint.tensors.names.map { UTF8Key($0) })
  var wanted: Set<UTF8Key> = []
  for (name, shape) in checkpoint.configuration.tensorShapes {
    guard present.contains(UTF8Key(name)) else {
      throw FormatError(
        path: checkpoint.path, part: "tensor \(quoted(name))",
        "missing; the configuration calls for it with shape \(shape)")
    }
    wanted.insert(UTF8Key(name))
    let found = try checkpoint.tensors.shape(of: name)
    guard found == shape else {
      throw FormatError(
        path: checkpoint.path, part: "tensor \(quoted(name))",
        "the configuration calls for shape \(shape), found \(found)")
    }
    let storage = try checkpoint.tensors.storage(of: name)
    guard ElementEncoding(rawValue: storage) != nil else {
      throw FormatError(
        path: checkpoint.path, part: "tensor \(quoted(name))",
        "stored as \(storage), which is not read; \(ElementEncoding.allCases.map(\.rawValue).joined(separator: ", ")) are"
      )
    }
  }
  for name in checkpoint.tensors.names where !wanted.contains(UTF8Key(name)) {
    // A tied head is a second name for the embedding; old checkpoints store the rotary frequencies.
    // A reward model's head is checked and read by `RewardModel`.
    if name == "lm_head.weight" || name == "score.weight" || name.hasSuffix(".rotary_emb.inv_freq") {
      continue
    }
    throw FormatError(
      path: checkpoint.path, part: "tensor \(quoted(name))",
      "the configuration has no place for it; nothing is left out silently")
  }
}
