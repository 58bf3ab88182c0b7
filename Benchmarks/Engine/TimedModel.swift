// The model whose speed is measured: a file or folder, or the shape of one with weights that are drawn.

import JSON
import Models

struct TimedModel {
  let configuration: DecoderConfiguration
  let tensors: any TensorSource

  /// - Parameter path: of a model, or of a `config.json` alone.
  init(_ path: String) throws {
    guard path.hasSuffix(".json") else {
      let checkpoint = try openCheckpoint(path, readingTokenizer: false)
      configuration = checkpoint.configuration
      tensors = checkpoint.tensors
      return
    }
    configuration = try DecoderConfiguration(huggingFace: readJSON(path))
    tensors = DrawnTensors(layout: configuration.layout)
  }
}

/// Weights of the size that a model starts with, norms of 1; what they say does not matter to the clock.
private struct DrawnTensors: TensorSource {
  let layout: ParameterLayout

  var names: [String] { layout.names }
  var fileByteCount: Int { 0 }
  func shape(of name: String) throws -> [Int] { layout[name]?.shape ?? [] }
  func storage(of name: String) throws -> String { "F32" }
  func readFloats(_ name: String, into output: UnsafeMutableBufferPointer<Float>) throws {
    let norms: [ParameterRole] = [.attentionNorm, .feedForwardNorm, .finalNorm]
    if layout[name]?.roles.contains(where: norms.contains) == true {
      output.update(repeating: 1)
      return
    }
    var state = hash64(name)
    for index in output.indices {
      state = state &* 0x5851_f42d_4c95_7f2d &+ 1
      output[index] = 0.035 * (Float(state >> 40) / Float(1 << 23) - 1)
    }
  }
}
