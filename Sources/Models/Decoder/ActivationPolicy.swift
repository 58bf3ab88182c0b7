// How much of a forward pass waits for the backward pass: all that it reads, or each block's input alone where the memory
// given does not hold all, so that the blocks compute the rest again.

package struct ActivationPolicy: Sendable {
  /// Bytes that a token's activations take in the blocks that the backward pass enters, and its keys and values in all.
  package let bytesPerToken: Int
  private let memory: Int

  /// - Parameter memory: bytes for the activations of one micro-batch.
  package init(_ configuration: DecoderConfiguration, mode: NumericMode, lowestBlock: Int, memory: Int) {
    let c = configuration
    let (attention, keyValue) = (
      c.headCount * c.headDimension, c.keyValueHeadCount * c.headDimension
    )
    let (feedForward, statistics) = (
      (c.isGated ? 2 : 1) * c.feedForwardSize, c.norm.kind == .layer ? 4 : 2
    )
    let floats = 2 * c.hiddenSize + 2 * attention + feedForward + c.headCount + statistics
    bytesPerToken =
      (c.layerCount - lowestBlock) * floats * ElementType.float32.byteCount
      + c.layerCount * 2 * keyValue * mode.operandType.byteCount
    self.memory = memory
  }

  /// Tokens whose activations fit. A longer sequence is computed again in its backward pass.
  package var tokens: Int { memory / max(1, bytesPerToken) }

  package func recomputes(tokens: Int) -> Bool { tokens > self.tokens }
}
