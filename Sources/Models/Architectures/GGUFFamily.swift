// A family whose models are also kept in GGUF files.

import System

/// What is particular to a family there. Names of tensors and most keys are the same for all: `GGUFPlacement`, `ArchitectureMetadata`.
package protocol GGUFFamily: ModelFamily {
  /// `general.architecture` in the metadata.
  static var ggufArchitecture: String { get }

  /// The feed-forward network's function, which no key states.
  static var ggufActivation: Activation { get }

  /// Whether llama.cpp turns neighbours where the family turns halves, so that its converter puts the rows of each query and key
  /// head in another order: its row `2j + h` is the layout's row `h * D/2 + j`.
  /// Source: llama.cpp `convert_hf_to_gguf.py` `LlamaModel.permute`; transformers `modeling_gguf_pytorch_utils.py`.
  static var ggufTurnsNeighbours: Bool { get }

  /// Reads what changes the computation. What is not read is refused where it is not known to change nothing.
  /// - Throws: `FormatError` naming the key.
  static func configuration(_ metadata: ArchitectureMetadata) throws -> DecoderConfiguration

  /// Adds the keys that only this architecture has.
  static func addOwnMetadata(_ configuration: DecoderConfiguration, to metadata: inout GGUFMetadataOutput)
}

extension GGUFFamily {
  package static var ggufTurnsNeighbours: Bool { false }
  package static func addOwnMetadata(
    _ configuration: DecoderConfiguration, to metadata: inout GGUFMetadataOutput
  ) {}
}

extension GGUFFamily {
  /// Adds the keys of the architecture, which `configuration` reads as the same decoder.
  /// - Throws: `ConfigurationError` for what they cannot say.
  static func addMetadata(_ configuration: DecoderConfiguration, to metadata: inout GGUFMetadataOutput) throws
  {
    let c = configuration
    func fail(_ what: String, _ value: String) -> ConfigurationError {
      ConfigurationError(what, "\(value) cannot be written: no key of `\(ggufArchitecture)` in GGUF says it")
    }
    if let window = c.slidingWindow { throw fail("sliding window", "\(window)") }
    if let cap = c.attentionSoftCap { throw fail("soft cap of the scores", "\(cap)") }
    guard c.activation == ggufActivation else { throw fail("activation", quoted(c.activation.rawValue)) }
    guard c.scalesScoresByDimension, !c.scalesScoresByLayer else {
      throw fail("scale of the scores", "another than 1 / sqrt(head dimension)")
    }
    func key(_ name: String) -> String { "\(ggufArchitecture).\(name)" }
    func add(_ name: String, _ value: Int) {
      // `validate` holds every size far inside 32 bits.
      metadata.add(key(name), UInt32(value))
    }
    /// A number that is computed with in single precision, which `config.json` may spell by all its digits: 9.999999747378752e-06.
    func add(_ name: String, _ value: Double) throws {
      let single = Float(value)
      guard Double("\(single)") == value || Double(single) == value else {
        throw ConfigurationError(
          key(name), "\(value) cannot be written: GGUF keeps it in single precision, as \(single)")
      }
      metadata.add(key(name), single)
    }
    metadata.add("general.architecture", ggufArchitecture)
    add("vocab_size", c.vocabularySize)
    add("context_length", c.contextLength)
    add("embedding_length", c.hiddenSize)
    add("block_count", c.layerCount)
    add("feed_forward_length", c.feedForwardSize)
    add("attention.head_count", c.headCount)
    add("attention.head_count_kv", c.keyValueHeadCount)
    if c.headDimension * c.headCount != c.hiddenSize {
      add("attention.key_length", c.headDimension)
      add("attention.value_length", c.headDimension)
    }
    try add(ArchitectureMetadata.epsilonName(c.norm.kind), c.norm.epsilon)
    if case .rotary(let rotary) = c.positions {
      add("rope.dimension_count", rotary.dimension)
      try add("rope.freq_base", rotary.base)
    }
    addOwnMetadata(c, to: &metadata)
  }
}
