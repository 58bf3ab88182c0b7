// What a decoder keeps of each token for its attention.

extension DecoderConfiguration {
  package func keyValueShape(in mode: NumericMode) -> KeyValueShape {
    KeyValueShape(
      layers: layerCount, heads: keyValueHeadCount, headDimension: headDimension, type: mode.operandType)
  }
}

extension Decoder {
  /// Pages for its sequences, of at most `memory` bytes.
  func pagePool(memory: Int) -> PagePool {
    PagePool(configuration.keyValueShape(in: mode), on: backend, memory: memory)
  }
}
