// `plumb inspect`: what a model file holds, line by line, after every check that loading it would make.

import JSON
import System

/// What a file says of itself.
package struct Inspection {
  /// Without line ends; text from the file is escaped for a terminal.
  package fileprivate(set) var lines: [String]
  /// Those whose weights are still to be looked at.
  fileprivate var tensors: (any TensorSource)?

  /// How many weights are no numbers; training and sampling stop at them. Reads every weight.
  package func nonFiniteLines() throws -> [String] {
    guard let tensors else { return [] }
    let counts = try tensors.nonFiniteCounts()
    let total = counts.reduce(0) { $0 + $1.count }
    return ["NaN or infinite: \(total == 0 ? "none" : "\(total)")"]
      + (try counts.map { name, count in
        "  \(escaped(name))  \(count) of \(checkedProduct(try tensors.shape(of: name)) ?? 0)"
      })
  }
}

/// Describes a file of tensors, an index of several, a `tokenizer.json` or `config.json`, or a model directory.
/// - Throws: `FormatError` or `FileError`: a damaged file is refused with the rule it broke.
package func inspection(of path: String) throws -> Inspection {
  if isDirectory(path) { return try inspectDirectory(path) }
  let file = try MappedFile(path)
  if GGUFFile.isFormat(of: file) { return try inspectGGUF(path) }
  let first = file.bytes.prefix(64).first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
  if SafeTensorsFile.isFormat(of: file) || path.hasSuffix(".safetensors") {
    return try inspectSafeTensors(path)
  }
  if PyTorchFile.isFormat(of: file) { return try inspectPyTorch(path) }
  guard first == UInt8(ascii: "{") else {
    throw FormatError(
      path: path,
      "expected a GGUF, safetensors, PyTorch, tokenizer or configuration file, found \(describeContent(of: file))"
    )
  }
  return try inspectJSON(path)
}

private func inspectGGUF(_ path: String) throws -> Inspection {
  let gguf = try GGUFFile(path)
  var lines = [
    "kind: GGUF version \(gguf.version), alignment \(gguf.alignment)", "size: \(bytes(gguf.file.count))",
    "metadata: \(gguf.metadata.count) entries",
  ]
  for (key, value) in gguf.metadata { lines.append("  \(escaped(key)) = \(try describe(value, key, gguf))") }
  // The file is sound; whether it is a model for Plumb is another question.
  do { lines += describe(try openCheckpoint(path)) } catch { lines.append("not read as a model: \(error)") }
  lines += table(gguf.tensors.map { ($0.name, $0.type.name, $0.shape, $0.byteCount) })
  return Inspection(lines: lines, tensors: gguf)
}

private func describe(_ value: GGUFValue, _ key: String, _ file: GGUFFile) throws -> String {
  switch value {
  case .unsigned(let number): return "\(number)"
  case .signed(let number): return "\(number)"
  case .float32(let number): return "\(number)"
  case .float64(let number): return "\(number)"
  case .bool(let flag): return "\(flag)"
  case .string(let text): return shown(text)
  case .array(let array):
    var text = "\(array.count) of \(array.elementType)"
    if array.elementType == .string {
      let first = try file.strings(key)?.prefix(6).map { shown($0, limit: 24) } ?? []
      text += ": " + first.joined(separator: ", ") + (array.count > 6 ? ", …" : "")
    }
    return text
  }
}

private func inspectSafeTensors(_ path: String) throws -> Inspection {
  let file = try SafeTensorsFile(path)
  var lines = [
    "kind: safetensors, header of \(file.header.dataStart - 8) bytes", "size: \(bytes(file.file.count))",
  ]
  lines.append("metadata: \(file.header.metadata.count) entries")
  for (key, value) in file.header.metadata { lines.append("  \(escaped(key)) = \(shown(value))") }
  return Inspection(lines: lines + (try tensors(of: [file])), tensors: file)
}

private func inspectPyTorch(_ path: String) throws -> Inspection {
  let file = try PyTorchFile(path)
  return Inspection(
    lines: ["kind: PyTorch file", "size: \(bytes(file.file.count))"] + (try tensors(of: [file])),
    tensors: file)
}

/// The tensors of files that do not say of which model they are, and how many numbers all have.
private func tensors(of files: [any TensorFile]) throws -> [String] {
  let entries = try files.flatMap { file in
    try file.names.map { name -> TableEntry in
      (name, try file.storage(of: name), try file.shape(of: name), try file.byteCount(of: name))
    }
  }
  return table(entries) + ["parameters: \(entries.reduce(0) { $0 &+ (checkedProduct($1.shape) ?? 0) })"]
}

private func inspectJSON(_ path: String) throws -> Inspection {
  let json = try readJSON(path, maximumCommas: maximumTokenizerCommas)
  if json["weight_map"] != nil {
    let sharded = try ShardedTensors(indexPath: path, open: openTensorFile)
    return Inspection(
      lines: ["kind: index of \(sharded.shards.count) files of tensors"]
        + (try tensors(of: sharded.shards)), tensors: sharded)
  }
  if json["model_type"] != nil {
    do {
      let configuration = try DecoderConfiguration(huggingFace: json)
      return Inspection(
        lines: ["kind: model configuration"]
          + describe(configuration, endTokens: configuration.eosTokenIDs))
    } catch let error as ConfigurationError {
      throw FormatError(path: path, part: quoted(error.field), error.problem)
    }
  }
  guard json["model"] != nil else {
    throw FormatError(path: path, "a JSON text, but no tokenizer, model configuration or index of tensors")
  }
  return Inspection(lines: ["kind: Hugging Face tokenizer"] + describe(try readTokenizer(path)))
}

private func inspectDirectory(_ path: String) throws -> Inspection {
  let checkpoint = try openCheckpoint(path)
  var lines = ["kind: model directory"] + describe(checkpoint)
  if let tokenizer = checkpoint.tokenizer {
    lines.append("tokenizer:")
    lines += describe(tokenizer).map { "  \($0)" }
  } else {
    lines.append("tokenizer: none")
  }
  lines.append("chat template: \(checkpoint.chatTemplate.map { shown($0) } ?? "none")")
  if let plumb = checkpoint.plumb { lines.append("plumb.json: \(shown(plumb.text(), limit: 400))") }
  let entries = try checkpoint.tensors.names.map { name in
    let shape = try checkpoint.tensors.shape(of: name)
    return (name, try checkpoint.tensors.storage(of: name), shape, 0)
  }
  return Inspection(lines: lines + table(entries), tensors: checkpoint.tensors)
}

private func describe(_ checkpoint: Checkpoint) -> [String] {
  let configuration = checkpoint.configuration
  var lines = describe(
    configuration, endTokens: checkpoint.endTokens.map { Int($0) }, checkpoint.tokenizer)
  if checkpoint.refusal(of: .file) == nil {
    lines.append(memory(of: configuration, in: .file, checkpoint.blockFormat))
  }
  return lines
}

/// With a tokenizer, tokens are spelled out.
private func describe(
  _ configuration: DecoderConfiguration, endTokens: [Int], _ tokenizer: Tokenizer? = nil
) -> [String] {
  let c = configuration
  func named(_ id: Int) -> String {
    guard let tokenizer else { return "\(id)" }
    return "\(id) " + (Int32(exactly: id).flatMap(tokenizer.spelling).map { shown($0) } ?? "without a token")
  }
  var begin = "none"
  if let id = tokenizer?.beginToken.map({ Int($0) }) ?? c.bosTokenID {
    begin = named(id)
    if let tokenizer {
      begin += tokenizer.addsBeginToken ? ", put before every text" : ", not put before texts"
    }
  }
  var rows = "\(c.vocabularySize) rows"
  if let count = tokenizer?.count, count < c.vocabularySize {
    rows += ", \(c.vocabularySize - count) of them without a token: \(count) to \(c.vocabularySize - 1)"
  }
  var head: String
  switch c.head {
  case .language: head = "embeddings: \(c.tiedEmbeddings ? "tied" : "untied")"
  case .value: head = "head: a value at every position"
  case .classification(let labels):
    head = "head: classification of \(labels.count) \(labels.count == 1 ? "label" : "labels"), "
    head +=
      labels.prefix(8).map { shown($0, limit: 40) }.joined(separator: ", ") + (labels.count > 8 ? ", …" : "")
  }
  var positions: [String]
  switch c.positions {
  case .learned: positions = ["positions: learned"]
  case .rotary(let rotary):
    positions = ["rotary base: \(rotary.base)"]
    if rotary.dimension != c.headDimension || rotary.pairs != .halves {
      positions.append("rotary: pairs of \(rotary.pairs.rawValue) in the first \(rotary.dimension)")
    }
  }
  return [
    "family: \(c.family.type.modelType)", "layers: \(c.layerCount)", "hidden size: \(c.hiddenSize)",
    "heads: \(c.headCount) of \(c.headDimension), \(c.keyValueHeadCount) for keys and values",
    "sliding window: \(c.slidingWindow.map { "\($0) tokens" } ?? "none")",
    "feed-forward size: \(c.feedForwardSize)", "activation: \(c.activation.rawValue)",
    "vocabulary: \(rows)",
    head, "context: \(c.contextLength) tokens",
  ] + positions + [
    "norm epsilon: \(c.norm.epsilon)",
    "begin token: \(begin)",
    "end tokens: \(endTokens.isEmpty ? "none" : endTokens.map(named).joined(separator: ", "))",
    "parameters: \(c.parameterCount)",
  ] + NumericMode.allCases.filter { $0 != .file }.map { memory(of: c, in: $0) }
}

/// What sampling and training take, but for what depends on batches.
private func memory(
  of configuration: DecoderConfiguration, in mode: NumericMode,
  _ format: (String) -> BlockFormat? = { _ in nil }
) -> String {
  let need = MemoryNeed(configuration, configuration.layout, mode: mode, format: format)
  func text(_ bytes: Int) -> String { ByteCount(bytes).text }
  var line =
    "memory in \(mode.rawValue): \(text(need.weights)) to sample and \(text(need.cachePerToken)) for each token in flight"
  if mode.hasGradients {
    line +=
      "; \(text(need.training)) to train all of it and \(text(need.activationsPerToken)) for each token of a pass"
  }
  return line
}

private func describe(_ tokenizer: Tokenizer) -> [String] {
  var lines = ["model: \(tokenizer.model)", "tokens: \(tokenizer.count)"]
  lines += tokenizer.model.facts
  lines += ["pre-tokenizer: \(tokenizer.preTokenizer)", "added tokens: \(tokenizer.addedTokens.count)"]
  for token in tokenizer.addedTokens {
    lines.append("  \(token.id) \(shown(token.content))\(token.special ? " special" : "")")
  }
  return lines
}

private typealias TableEntry = (name: String, type: String, shape: [Int], byteCount: Int)

/// Tensors with their shapes, types and sizes.
private func table(_ entries: [TableEntry]) -> [String] {
  var lines = ["tensors: \(entries.count)"]
  let rows = entries.map {
    (escaped($0.name), $0.type, "[\($0.shape.map { "\($0)" }.joined(separator: ", "))]")
  }
  func width(_ texts: [String]) -> Int { texts.map(\.unicodeScalars.count).max() ?? 0 }
  func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
  }
  let widths = (width(rows.map(\.0)), width(rows.map(\.1)), width(rows.map(\.2)))
  for (entry, row) in zip(entries, rows) {
    let size = entry.byteCount > 0 ? "  \(bytes(entry.byteCount))" : ""
    lines.append(
      "  \(padded(row.0, widths.0))  \(padded(row.1, widths.1))  \(size.isEmpty ? row.2 : padded(row.2, widths.2))\(size)"
    )
  }
  return lines
}

private func bytes(_ count: Int) -> String { "\(count) bytes" }

/// A name without the backticks of `quoted`.
private func escaped(_ text: String) -> String { String(quoted(text).dropFirst().dropLast()) }

private func shown(_ text: String, limit: Int = 120) -> String { quoted(text, limit: limit) }
