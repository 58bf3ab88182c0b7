// The memory that a model takes, from its configuration and, in mode `file`, what its file stores.

/// Bytes of a decoder in one numeric mode, up to what kernels pad.
package struct MemoryNeed: Sendable, Equatable {
  /// The weights, ready for the kernels.
  package let weights: Int
  /// The largest tensor in fp32, which is there beside the weights while they are read.
  package let largestTensor: Int
  /// Keys and values of one token.
  package let cachePerToken: Int
  /// Training all parameters: fp32 masters, gradients and two moments, the weights, and the head once more for its backward pass.
  package let training: Int
  /// What one token keeps for the backward pass.
  package let activationsPerToken: Int

  /// - Parameters:
  ///   - layout: the configuration's, which takes time to make.
  ///   - format: of a tensor's blocks of integers, where the file has it so.
  package init(
    _ configuration: DecoderConfiguration, _ layout: ParameterLayout, mode: NumericMode,
    format: (_ tensor: String) -> BlockFormat? = { _ in nil }
  ) {
    let counts = layout.tensors.map { (tensor: $0, count: $0.shape.reduce(1, *)) }
    // A tied head is packed beside the embedding.
    let isTied = layout.name(of: .head) == nil
    func blocks(_ tensor: ParameterTensor) -> BlockFormat? { mode == .file ? format(tensor.name) : nil }
    weights = counts.reduce(0) {
      $0 + configuration.bytes(of: $1.count, in: $1.tensor, isTied: isTied, mode, blocks($1.tensor))
    }
    largestTensor =
      4
      * (counts.filter { blocks($0.tensor) == nil || $0.tensor.roles.contains(where: \.isEmbedding) }
        .map(\.count).max() ?? 0)
    let shape = configuration.keyValueShape(in: mode)
    cachePerToken = 2 * shape.layers * shape.row * shape.type.byteCount
    let head = configuration.outputCount * configuration.hiddenSize * mode.operandType.byteCount
    let embeddings = counts.filter { $0.tensor.roles.contains(where: \.isEmbedding) }
    // A trainer's decoder reads the masters of the embeddings.
    training =
      16 * counts.reduce(0) { $0 + $1.count } + weights + head
      - embeddings.reduce(0) { $0 + $1.count * mode.operandType.byteCount }
    activationsPerToken =
      ActivationPolicy(configuration, mode: mode, lowestBlock: 0, memory: 0).bytesPerToken
  }
}

extension DecoderConfiguration {
  fileprivate func bytes(
    of count: Int, in tensor: ParameterTensor, isTied: Bool, _ mode: NumericMode, _ format: BlockFormat?
  ) -> Int {
    func packed(_ type: ElementType) -> Int { format?.packedByteCount(count) ?? count * type.byteCount }
    if tensor.roles.contains(where: \.isEmbedding) {
      let isHead = isTied && tensor.roles.contains(.tokenEmbedding)
      return count * mode.operandType.byteCount + (isHead ? packed(mode.weightType) : 0)
    }
    if tensor.shape.count == 1 { return count * ElementType.float32.byteCount }
    return packed(tensor.roles == [.head] ? headType(in: mode) : mode.weightType)
  }
}

extension ParameterRole {
  fileprivate var isEmbedding: Bool { self == .tokenEmbedding || self == .positionEmbedding }
}
