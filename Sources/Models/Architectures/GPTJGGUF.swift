// GPT-J in a GGUF file. llama.cpp has no converter for it; names and keys are those of gguf's specification.

extension GPTJ: GGUFFamily {
  package static let ggufArchitecture = "gptj"
  package static let ggufActivation = Activation.geluTanh

  package static func configuration(_ metadata: ArchitectureMetadata) throws -> DecoderConfiguration {
    var configuration = try metadata.decoder(GPTJ.self, norm: .layer, isGated: false) { _ in
      try metadata.rotary(.neighbours, dimension: nil)
    }
    try metadata.requireFullHeads(configuration)
    if case .rotary(let rotary) = configuration.positions, rotary.base != rotaryBase {
      throw metadata.failure("rope.freq_base", "\(rotary.base) is not supported; \(rotaryBase) is")
    }
    configuration.residual = .parallel(sharesNorm: true)
    return configuration
  }
}
