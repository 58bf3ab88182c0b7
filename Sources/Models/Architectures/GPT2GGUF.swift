// GPT-2 in a GGUF file.

extension GPT2: GGUFFamily {
  package static let ggufArchitecture = "gpt2"
  package static let ggufActivation = Activation.geluTanh

  package static func configuration(_ metadata: ArchitectureMetadata) throws -> DecoderConfiguration {
    let configuration = try metadata.decoder(GPT2.self, norm: .layer, isGated: false) { _ in .learned }
    try metadata.requireFullHeads(configuration)
    return configuration
  }
}
