// A Llama model in a GGUF file, seen under Hugging Face names and in Hugging Face's row order.

import JSON
import System

/// Presents the tensors of a GGUF file of architecture `llama` as a Hugging Face checkpoint has them.
///
/// llama.cpp's converter interleaves the rows of each query and key head, so that its rotary pairs are neighbours:
/// its row `2j + h` of a head is Hugging Face's row `h * D/2 + j`. That is undone here, so that rotary over halves applies.
/// Source: llama.cpp `convert_hf_to_gguf.py` `LlamaModel.permute`; transformers `modeling_gguf_pytorch_utils.py`.
package final class GGUFLlama: TensorSource {
  package let file: GGUFFile
  package let configuration: DecoderConfiguration
  package let names: [String]
  private let entries: [UTF8Key: Entry]

  private struct Entry {
    let tensor: GGUFTensor
    /// The head dimension whose rows are interleaved, or 0.
    let interleaved: Int
  }

  package init(_ file: GGUFFile) throws {
    let configuration = try Self.readConfiguration(file)
    var entries: [UTF8Key: Entry] = [:]
    var names: [String] = []
    for tensor in file.tensors {
      guard let name = Self.huggingFaceName(tensor.name, layerCount: configuration.layerCount) else {
        throw FormatError(
          path: file.file.path, part: "tensor \(quoted(tensor.name))",
          "a `llama` model of \(configuration.layerCount) layers has no such tensor, or it is not computed here"
        )
      }
      let isRotary = name.hasSuffix("q_proj.weight") || name.hasSuffix("k_proj.weight")
      entries[UTF8Key(name)] = Entry(tensor: tensor, interleaved: isRotary ? configuration.headDimension : 0)
      names.append(name)
    }
    self.file = file
    self.configuration = configuration
    self.entries = entries
    self.names = names
  }

  private func entry(_ name: String) throws -> Entry {
    guard let entry = entries[UTF8Key(name)] else {
      throw FormatError(
        path: file.file.path, part: "tensor \(quoted(name))", "the file has no tensor for this name")
    }
    return entry
  }

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
    else { throw file.undecodable(tensor) }
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

  /// The Hugging Face name of a tensor, nil for one that our Llama does not have.
  static func huggingFaceName(_ name: String, layerCount: Int) -> String? {
    switch name {
    case "token_embd.weight": return "model.embed_tokens.weight"
    case "output_norm.weight": return "model.norm.weight"
    case "output.weight": return "lm_head.weight"
    default: break
    }
    let parts = name.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "blk", let layer = Int(parts[1]), layer >= 0, layer < layerCount,
      "\(layer)" == parts[1]
    else { return nil }
    let inner: String
    switch parts[2] {
    case "attn_norm.weight": inner = "input_layernorm"
    case "attn_q.weight": inner = "self_attn.q_proj"
    case "attn_k.weight": inner = "self_attn.k_proj"
    case "attn_v.weight": inner = "self_attn.v_proj"
    case "attn_output.weight": inner = "self_attn.o_proj"
    case "ffn_norm.weight": inner = "post_attention_layernorm"
    case "ffn_gate.weight": inner = "mlp.gate_proj"
    case "ffn_up.weight": inner = "mlp.up_proj"
    case "ffn_down.weight": inner = "mlp.down_proj"
    default: return nil
    }
    return "model.layers.\(layer).\(inner).weight"
  }

  private static func readConfiguration(_ file: GGUFFile) throws -> DecoderConfiguration {
    guard let architecture = try file.string("general.architecture") else {
      throw file.failure("general.architecture", "missing")
    }
    guard architecture == "llama" else {
      throw file.failure("general.architecture", "\(quoted(architecture)) is not supported; `llama` is")
    }
    for (key, value) in file.metadata {
      // Position scaling and experts change the computation.
      if key.utf8.starts(with: "llama.rope.scaling.".utf8), value != .string("none") {
        throw file.failure(key, "scaled rotary positions are not supported")
      }
      if key.utf8.starts(with: "llama.expert".utf8), value != .unsigned(0) {
        throw file.failure(key, "mixtures of experts are not supported")
      }
    }
    let hiddenSize = try file.requiredInteger("llama.embedding_length")
    let headCount = try file.requiredInteger("llama.attention.head_count")
    let headDimension: Int
    if let stated = try file.integer("llama.attention.key_length") {
      headDimension = stated
    } else {
      guard headCount > 0, hiddenSize % headCount == 0 else {
        throw file.failure(
          "llama.attention.head_count", "\(hiddenSize) does not divide evenly over \(headCount) heads")
      }
      headDimension = hiddenSize / headCount
    }
    let embeddings = try file.tensor("token_embd.weight").shape
    let vocabularySize = embeddings.first ?? 0
    if let stated = try file.integer("llama.vocab_size"), stated != vocabularySize {
      throw file.failure("llama.vocab_size", "\(stated), but `token_embd.weight` has \(vocabularySize) rows")
    }
    let configuration = DecoderConfiguration(
      vocabularySize: vocabularySize, hiddenSize: hiddenSize,
      layerCount: try file.requiredInteger("llama.block_count"), headCount: headCount,
      keyValueHeadCount: try file.integer("llama.attention.head_count_kv") ?? headCount,
      headDimension: headDimension,
      feedForwardSize: try file.requiredInteger("llama.feed_forward_length"),
      rotaryBase: try file.number("llama.rope.freq_base") ?? 10_000,
      normEpsilon: try file.requiredNumber("llama.attention.layer_norm_rms_epsilon"),
      tiedEmbeddings: !file.names.contains("output.weight"),
      contextLength: try file.requiredInteger("llama.context_length"),
      bosTokenID: try file.specialTokenID("tokenizer.ggml.bos_token_id", count: vocabularySize),
      eosTokenIDs: try file.endTokens(count: vocabularySize))
    do {
      try configuration.validate(naming: { metadataKeys[$0] ?? $0 })
    } catch let error as ConfigurationError {
      throw file.failure(error.field, error.problem)
    }
    for key in ["llama.attention.value_length", "llama.rope.dimension_count"] {
      if let stated = try file.integer(key), stated != headDimension {
        throw file.failure(key, "\(stated) is not supported; the head dimension, \(headDimension), is")
      }
    }
    return configuration
  }

  /// Where GGUF keeps what `config.json` calls so.
  private static let metadataKeys = [
    "vocab_size": "llama.vocab_size", "hidden_size": "llama.embedding_length",
    "num_hidden_layers": "llama.block_count", "num_attention_heads": "llama.attention.head_count",
    "num_key_value_heads": "llama.attention.head_count_kv", "head_dim": "llama.attention.key_length",
    "intermediate_size": "llama.feed_forward_length", "max_position_embeddings": "llama.context_length",
    "rope_theta": "llama.rope.freq_base", "rms_norm_eps": "llama.attention.layer_norm_rms_epsilon",
  ]
}
