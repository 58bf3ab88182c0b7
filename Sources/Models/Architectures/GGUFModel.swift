// A model in a GGUF file, seen under the names of its family's layout and in Hugging Face's row order.

import JSON
import System

/// Presents the tensors of a GGUF file as a Hugging Face checkpoint has them.
///
/// llama.cpp's converter interleaves the rows of each query and key head, so that its rotary pairs are neighbours:
/// its row `2j + h` of a head is Hugging Face's row `h * D/2 + j`. That is undone here, so that rotary over halves applies.
/// Source: llama.cpp `convert_hf_to_gguf.py` `LlamaModel.permute`; transformers `modeling_gguf_pytorch_utils.py`.
package final class GGUFModel: TensorSource {
  package let file: GGUFFile
  package let configuration: DecoderConfiguration
  package let names: [String]
  private let entries: [UTF8Key: Entry]

  private struct Entry {
    let tensor: GGUFTensor
    /// The head dimension whose rows are interleaved, or 0.
    let interleaved: Int
  }

  /// - Throws: `FormatError` for an architecture that is not read, metadata that is wrong and tensors that are not the model's.
  package init(_ file: GGUFFile) throws {
    let family = try Self.family(of: file)
    let configuration = try family.configuration(file)
    var known: [UTF8Key: ParameterTensor] = [:]
    for tensor in configuration.layout.tensors { known[UTF8Key(family.ggufName(of: tensor))] = tensor }
    var entries: [UTF8Key: Entry] = [:]
    var names: [String] = []
    for tensor in file.tensors {
      guard let described = known[UTF8Key(tensor.name)] else {
        throw FormatError(
          path: file.file.path, part: "tensor \(quoted(tensor.name))",
          "a `\(family.ggufArchitecture)` model of \(configuration.layerCount) layers has no such tensor, or it is not computed here"
        )
      }
      let interleaved = family.ggufInterleavesHeads(described) ? configuration.headDimension : 0
      entries[UTF8Key(described.name)] = Entry(tensor: tensor, interleaved: interleaved)
      names.append(described.name)
    }
    self.file = file
    self.configuration = configuration
    self.entries = entries
    self.names = names
  }

  private static func family(of file: GGUFFile) throws -> any GGUFFamily.Type {
    guard let architecture = try file.string("general.architecture") else {
      throw file.failure("general.architecture", "missing")
    }
    let known = families.compactMap { $0 as? any GGUFFamily.Type }
    guard let family = known.first(where: { $0.ggufArchitecture == architecture }) else {
      let names = known.map { "`\($0.ggufArchitecture)`" }.joined(separator: ", ")
      throw file.failure(
        "general.architecture",
        "\(quoted(architecture)) is not supported; \(names) \(known.count == 1 ? "is" : "are")")
    }
    return family
  }

  private func entry(_ name: String) throws -> Entry {
    guard let entry = entries[UTF8Key(name)] else {
      throw FormatError(
        path: file.file.path, part: "tensor \(quoted(name))", "the file has no tensor for this name")
    }
    return entry
  }

  package var fileByteCount: Int { file.fileByteCount }
  package func shape(of name: String) throws -> [Int] { try entry(name).tensor.shape }
  package func storage(of name: String) throws -> String { try entry(name).tensor.type.name }

  package func readFloats(_ name: String, into output: UnsafeMutableBufferPointer<Float>) throws {
    let entry = try entry(name)
    let tensor = entry.tensor
    guard entry.interleaved > 0 else {
      try file.readFloats(tensor.name, into: output)
      return
    }
    let dimension = entry.interleaved
    guard let encoding = tensor.type.encoding, tensor.shape.count == 2, tensor.shape[0] % dimension == 0,
      let bytes = file.file.slice(tensor.offset, tensor.byteCount)
    else { throw file.undecodable(tensor.name, offset: tensor.offset) }
    let columns = tensor.shape[1]
    precondition(
      output.count == tensor.shape[0] * columns, "\(output.count) values for shape \(tensor.shape)")
    let rowSize = columns / encoding.blockLength * encoding.blockSize
    withExtendedLifetime(file) {
      for row in 0..<tensor.shape[0] {
        let (head, within) = (row / dimension, row % dimension)
        let source = head * dimension + 2 * (within % (dimension / 2)) + within / (dimension / 2)
        encoding.decode(
          UnsafeRawBufferPointer(rebasing: bytes[(source * rowSize)..<((source + 1) * rowSize)]),
          into: UnsafeMutableBufferPointer(rebasing: output[(row * columns)..<((row + 1) * columns)]))
      }
    }
  }
}
