// `plumb convert` to GGUF: a model written as one file, with llama.cpp's names, keys and order of rows.

import JSON
import System

extension Checkpoint {
  /// Writes the model as a GGUF file that llama.cpp, gguf's package and Plumb read. Matrices are stored in `encoding`, or as F16 where
  /// their rows are no whole number of its blocks; vectors and positions as F32, which llama.cpp asks for. What
  /// `generation_config.json` says beside end tokens is not kept. One tensor at a time is in memory.
  /// - Throws: `FormatError` naming what GGUF or the encoding does not hold, `SystemError`; nothing is left under `path`.
  package func write(toGGUF path: String, as encoding: any WritableEncoding.Type) throws {
    guard let family = configuration.family.type as? any GGUFFamily.Type else {
      throw failure(
        "`model_type`", "\(quoted(configuration.family.type.modelType)) has no architecture in GGUF")
    }
    guard configuration.head == .language else {
      throw failure(
        "tensor \(quoted(configuration.head.tensorName ?? ""))",
        "\(configuration.head.modelKind) cannot be written: GGUF has no place for its head")
    }
    let metadata = try ggufMetadata(family, encoding)
    let outputs = try configuration.layout.tensors.map { tensor in
      guard let placement = family.placement(of: tensor, configuration) else {
        throw failure("tensor \(quoted(tensor.name))", "GGUF has no name for it")
      }
      return output(tensor, placement, as: encoding)
    }
    try writeGGUF(metadata: metadata, tensors: outputs, to: path)
  }

  private func failure(_ part: String, _ problem: String) -> FormatError {
    FormatError(path: path, part: part, problem)
  }

  private func ggufMetadata(
    _ family: any GGUFFamily.Type, _ encoding: any WritableEncoding.Type
  ) throws -> GGUFMetadataOutput {
    var metadata = GGUFMetadataOutput()
    do {
      try family.addMetadata(configuration, to: &metadata)
      metadata.add("general.file_type", encoding.fileType)
      metadata.add("general.quantization_version", UInt32(2))
      if tokenizer?.beginToken == nil, let begin = configuration.bosTokenID {
        metadata.add("tokenizer.ggml.bos_token_id", UInt32(begin))
      }
      try addEndTokens(to: &metadata)
      try tokenizer?.addGGUFMetadata(rows: configuration.vocabularySize, to: &metadata)
    } catch let error as ConfigurationError {
      throw failure(quoted(error.field), error.problem)
    } catch let error as TokenizerError {
      throw failure("tokenizer \(quoted(error.location))", error.problem)
    }
    if let chatTemplate { metadata.add("tokenizer.chat_template", chatTemplate) }
    if let plumb { metadata.add(GGUFFile.plumbKey, plumb.text()) }
    return metadata
  }

  /// Under the keys that `GGUFFile.endTokens` reads.
  private func addEndTokens(to metadata: inout GGUFMetadataOutput) throws {
    let names = GGUFFile.endTokenNames
    guard endTokens.count <= names.count else {
      throw ConfigurationError(
        "eos_token_id",
        "\(endTokens.count) end tokens cannot be written: GGUF has keys for \(names.count)")
    }
    for (name, id) in zip(names, endTokens) {
      metadata.add("tokenizer.ggml.\(name)_token_id", UInt32(bitPattern: id))
    }
  }

  private func output(
    _ tensor: ParameterTensor, _ placement: GGUFPlacement, as encoding: any WritableEncoding.Type
  ) -> GGUFOutput {
    let shape = placement.isTransposed ? tensor.shape.reversed() : tensor.shape
    let (rows, columns) = (shape[0], shape.dropFirst().reduce(1, *))
    let isVector = shape.count == 1 || tensor.roles == [.positionEmbedding]
    let stored: any WritableEncoding.Type =
      isVector ? F32.self : columns % encoding.blockLength == 0 ? encoding : F16.self
    return GGUFOutput(name: placement.name, shape: shape, type: GGMLType(stored)) { emit in
      let numbers = try tensors.floats(tensor.name)
      let bandRows = max(1, 65_536 / columns)
      for first in stride(from: 0, to: rows, by: bandRows) {
        let band = placement.rows(
          first..<min(rows, first + bandRows), of: numbers, count: rows, columns: columns)
        let bytes = try band.withUnsafeBufferPointer {
          try stored.encode($0, of: tensor.name, in: path)
        }
        try bytes.withUnsafeBytes { try emit($0) }
      }
    }
  }
}

extension GGUFPlacement {
  /// Rows as the file has them.
  /// - Parameter numbers: the tensor as the layout has it.
  fileprivate func rows(_ rows: Range<Int>, of numbers: [Float], count: Int, columns: Int) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(rows.count * columns)
    for row in rows {
      if isTransposed {
        for column in 0..<columns { result.append(numbers[column * count + row]) }
      } else {
        let source = (order?.layoutIndex(ofFile: row) ?? row) * columns
        result += numbers[source..<source + columns]
      }
    }
    return result
  }
}

extension WritableEncoding {
  /// `general.file_type` of a file of such matrices. Source: gguf-py `constants.py` `LlamaFileType`.
  fileprivate static var fileType: UInt32 {
    switch name {
    case "F32": 0
    case "F16": 1
    case "Q8_0": 7
    case "BF16": 32
    default: preconditionFailure("GGUF has no file type of `\(name)`")
    }
  }
}
