// The metadata that a GGUF file has of its model's architecture, while they are read: what is not read is not passed over.

import JSON
import System

/// Keys are named without the architecture: `block_count` for `llama.block_count`.
package final class ArchitectureMetadata {
  let file: GGUFFile
  private let architecture: String
  private var read: Set<UTF8Key> = []

  package init(_ file: GGUFFile, architecture: String) {
    self.file = file
    self.architecture = architecture
  }

  private func key(_ name: String) -> String {
    let key = "\(architecture).\(name)"
    read.insert(UTF8Key(key))
    return key
  }

  func failure(_ name: String, _ problem: String) -> FormatError { file.failure(key(name), problem) }

  func optionalInteger(_ name: String) throws -> Int? { try file.integer(key(name)) }
  func integer(_ name: String) throws -> Int { try file.requiredInteger(key(name)) }
  func optionalNumber(_ name: String) throws -> Double? { try file.number(key(name)) }
  func number(_ name: String) throws -> Double { try file.requiredNumber(key(name)) }
  func flag(_ name: String) throws -> Bool { try file.requiredBool(key(name)) }

  /// What `DecoderConfiguration.validate` calls otherwise.
  private static let names = [
    "vocab_size": "vocab_size", "hidden_size": "embedding_length", "num_hidden_layers": "block_count",
    "num_attention_heads": "attention.head_count", "num_key_value_heads": "attention.head_count_kv",
    "head_dim": "attention.key_length", "intermediate_size": "feed_forward_length",
    "max_position_embeddings": "context_length", "rope_theta": "rope.freq_base",
    "rotary_dim": "rope.dimension_count",
  ]

  /// The name of the norm's epsilon.
  static func epsilonName(_ kind: Norm.Kind) -> String {
    kind == .rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon"
  }

  /// Values of keys that are not computed but change nothing.
  private static let inert: [(name: String, value: GGUFValue)] = [
    ("rope.scaling.type", .string("none")), ("expert_count", .unsigned(0)),
    ("expert_used_count", .unsigned(0)),
    ("attention.causal", .bool(true)),
  ]

  /// Where the original checkpoint had its numbers; says nothing of this file.
  private static let ignored = ["tensor_data_layout"]

  /// - Throws: `FormatError` for a key of the architecture that nobody read.
  func refuseUnread() throws {
    let known = Self.inert.map { (key($0.name), $0.value) }
    let ignored = Set(Self.ignored.map { UTF8Key("\(architecture).\($0)") })
    for (name, value) in file.metadata where name.utf8.starts(with: "\(architecture).".utf8) {
      if let inert = known.first(where: { $0.0 == name }) {
        guard inert.1 == value else {
          throw file.failure(name, "it changes the result in a way that is not computed")
        }
      } else if !read.contains(UTF8Key(name)), !ignored.contains(UTF8Key(name)) {
        throw file.failure(name, "the key is unknown, and may change the result")
      }
    }
  }
}

extension ArchitectureMetadata {
  /// The decoder with what the keys of every architecture say, checked; its residual is the family's.
  /// - Parameter positions: from the head dimension.
  func decoder(
    _ family: any GGUFFamily.Type, norm: Norm.Kind, isGated: Bool, positions: (Int) throws -> Positions
  ) throws -> DecoderConfiguration {
    let hiddenSize = try integer("embedding_length")
    let headCount = try integer("attention.head_count")
    let headDimension: Int
    if let stated = try optionalInteger("attention.key_length") {
      headDimension = stated
    } else {
      guard headCount > 0, hiddenSize % headCount == 0 else {
        throw failure("attention.head_count", "\(hiddenSize) does not divide evenly over \(headCount) heads")
      }
      headDimension = hiddenSize / headCount
    }
    let vocabularySize = try file.tensor("token_embd.weight").shape.first ?? 0
    if let stated = try optionalInteger("vocab_size"), stated != vocabularySize {
      throw failure("vocab_size", "\(stated), but `token_embd.weight` has \(vocabularySize) rows")
    }
    let configuration = DecoderConfiguration(
      family: family, vocabularySize: vocabularySize, hiddenSize: hiddenSize,
      layerCount: try integer("block_count"), headCount: headCount,
      keyValueHeadCount: try optionalInteger("attention.head_count_kv") ?? headCount,
      headDimension: headDimension, feedForwardSize: try integer("feed_forward_length"),
      norm: Norm(kind: norm, epsilon: try number(Self.epsilonName(norm))),
      positions: try positions(headDimension), isGated: isGated, activation: family.ggufActivation,
      tiedEmbeddings: !file.names.contains("output.weight"), contextLength: try integer("context_length"),
      bosTokenID: try file.specialTokenID("tokenizer.ggml.bos_token_id", count: vocabularySize),
      eosTokenIDs: try file.endTokens(count: vocabularySize))
    do {
      try configuration.validate(naming: {
        Self.names[$0] ?? ($0 == "rms_norm_eps" ? Self.epsilonName(norm) : $0)
      })
    } catch let error as ConfigurationError {
      throw failure(error.field, error.problem)
    }
    if let stated = try optionalInteger("attention.value_length"), stated != headDimension {
      throw failure(
        "attention.value_length", "\(stated) is not supported; the head dimension, \(headDimension), is")
    }
    return configuration
  }

  /// For families whose heads have keys and values of their own and together the hidden size.
  func requireFullHeads(_ configuration: DecoderConfiguration) throws {
    guard configuration.keyValueHeadCount == configuration.headCount else {
      throw failure(
        "attention.head_count_kv",
        "\(configuration.keyValueHeadCount) is not supported; \(configuration.headCount), the number of heads, is"
      )
    }
    let (size, overflow) = configuration.headCount.multipliedReportingOverflow(
      by: configuration.headDimension)
    guard !overflow, size == configuration.hiddenSize else {
      throw failure(
        "attention.key_length",
        "\(configuration.headDimension) is not supported; the hidden size over the number of heads is")
    }
  }

  /// - Parameter dimension: how many elements of a head turn; nil where the file has to say it.
  func rotary(_ pairs: Rotary.Pairs, dimension: Int?) throws -> Positions {
    .rotary(
      Rotary(
        base: try optionalNumber("rope.freq_base") ?? 10_000,
        dimension: try dimension ?? integer("rope.dimension_count"), pairs: pairs))
  }
}
