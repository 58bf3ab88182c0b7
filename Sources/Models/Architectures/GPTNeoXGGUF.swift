// GPT-NeoX in a GGUF file.

extension GPTNeoX: GGUFFamily {
  package static let ggufArchitecture = "gptneox"
  /// Deviation: llama.cpp computes its approximation by tanh, whatever `hidden_act` was.
  package static let ggufActivation = Activation.gelu

  private static let parallelResidual = "use_parallel_residual"

  package static func configuration(_ metadata: ArchitectureMetadata) throws -> DecoderConfiguration {
    var configuration = try metadata.decoder(GPTNeoX.self, norm: .layer, isGated: false) { _ in
      try metadata.rotary(.halves, dimension: nil)
    }
    try metadata.requireFullHeads(configuration)
    if try metadata.flag(parallelResidual) { configuration.residual = .parallel(sharesNorm: false) }
    configuration.hasAttentionBiases = metadata.file.names.contains("blk.0.attn_qkv.bias")
    return configuration
  }

  package static func addOwnMetadata(
    _ configuration: DecoderConfiguration, to metadata: inout GGUFMetadataOutput
  ) {
    metadata.add("\(ggufArchitecture).\(parallelResidual)", configuration.residual != .sequential)
  }
}
