// Llama in a GGUF file.

extension Llama {
  package static let ggufArchitecture = "llama"
  package static let ggufActivation = Activation.silu
  package static let ggufTurnsNeighbours = true

  package static func configuration(_ metadata: ArchitectureMetadata) throws -> DecoderConfiguration {
    let configuration = try metadata.decoder(Llama.self, norm: .rms, isGated: true) { headDimension in
      try metadata.rotary(.halves, dimension: headDimension)
    }
    let name = "rope.dimension_count"
    if let stated = try metadata.optionalInteger(name), stated != configuration.headDimension {
      throw metadata.failure(
        name, "\(stated) is not supported; the head dimension, \(configuration.headDimension), is")
    }
    return configuration
  }
}
