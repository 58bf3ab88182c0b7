// `plumb convert`: a model written anew, in another type or in other files. Tensor by tensor: no more than one is held.

import JSON
import System

extension Checkpoint {
  /// The encoding of the weights where all have the same of 16 bits, else `F32`: it holds all numbers of a quantised or mixed file,
  /// and what is computed with those of `F64`.
  package func losslessEncoding() throws -> any WritableEncoding.Type {
    let stored = Set(try configuration.layout.names.map { try tensors.storage(of: $0) })
    return [F16.self, BF16.self].first { stored == [$0.name] } ?? F32.self
  }

  /// Writes the model as a Hugging Face directory. The tokenizer's files of a directory are copied as they are.
  /// - Parameters:
  ///   - directory: made if it is not there.
  ///   - dtype: of floating point.
  ///   - shardBytes: how large a file of the weights may be; nil for one file.
  /// - Throws: `FormatError` for weights that the type does not hold, `SystemError`.
  package func write(
    toDirectory directory: String, as dtype: SafeTensorsOutput.DType, shardBytes: Int? = nil
  ) throws {
    let isDirectory = isDirectory(path)
    try File.makeDirectory(directory)
    if isDirectory { try copyTokenizerFiles(to: directory) }
    try writeModelDirectory(
      directory, configuration: configuration,
      tensors: configuration.layout.tensors.map {
        SafeTensorsOutput(name: $0.name, shape: $0.shape, dtype: dtype, from: tensors, path: path)
      },
      tokenizer: isDirectory ? nil : tokenizer, chatTemplate: chatTemplate,
      generationConfig: generationConfig, plumb: plumb, shardBytes: shardBytes)
  }

  /// Whatever a tokenizer of transformers is made of: those that `AssembledModel` takes.
  private static let tokenizerFiles = [
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "chat_template.jinja", "vocab.json", "vocab.txt", "merges.txt", "tokenizer.model",
  ]

  private func copyTokenizerFiles(to directory: String) throws {
    for name in Self.tokenizerFiles where fileExists("\(path)/\(name)") {
      let copy = try DurableFile("\(directory)/\(name)")
      try copy.write(try readSmallFile("\(path)/\(name)", limit: 1 << 27))
      try copy.finish()
    }
  }
}
