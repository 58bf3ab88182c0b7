// The decoder: weights ready for the kernels, and the forward pass over packed tokens.

/// A causal decoder of the shape and with the head that its configuration says.
///
/// Letters: T tokens of any sequences side by side, C hidden size, F feed-forward size, V outputs of the head: for a language model
/// the vocabulary.
package final class Decoder {
  package let configuration: DecoderConfiguration
  package let layout: ParameterLayout
  package let mode: NumericMode
  let backend: any Backend
  /// Of positions that were used: it grows, since a context may be far longer than any text.
  private(set) var rotary: RotaryTable?
  /// In the mode's type, or a trainer's fp32.
  private let embedding: Tensor
  /// Of learned positions, likewise.
  private let positionEmbedding: Tensor?
  private let finalNorm: NormLayer
  /// [C] -> [V]
  private var head: any PackedMatrix
  /// One of few outputs is not worth rounding to integers.
  private let headType: ElementType
  private let headBias: Tensor?
  /// [V] -> [C], for the backward pass
  private var headTransposed: (any PackedMatrix)?
  private(set) var blocks: [Block]
  let workspace: Workspace

  /// A decoder for inference; keeps only what the forward pass reads.
  package convenience init(
    _ configuration: DecoderConfiguration, from source: any TensorSource, mode: NumericMode,
    backend: any Backend
  ) throws {
    try self.init(
      configuration, mode: mode, backend: backend, lowestBlock: nil,
      tensor: { tensor in
        try Parameters.read(
          tensor.name, tensor.shape, interleaving: tensor.interleaving, from: source, on: backend)
      },
      blocks: { tensor in
        guard mode == .file, let matrix = try source.blocks(tensor.name) else { return nil }
        return tensor.interleaving.map { matrix.with(rows: $0.arranged(matrix.rows)) } ?? matrix
      })
  }

  /// A decoder over parameters that a trainer changes; call `update` after each change.
  /// - Parameter lowestBlock: the first block that the backward pass enters.
  package convenience init(
    _ configuration: DecoderConfiguration, parameters: Parameters, mode: NumericMode, backend: any Backend,
    lowestBlock: Int
  ) {
    do {
      try self.init(
        configuration, mode: mode, backend: backend, lowestBlock: lowestBlock,
        tensor: { parameters[$0.name] }, blocks: { _ in nil })
    } catch { preconditionFailure("parameters held in memory cannot fail to be read: \(error)") }
  }

  /// - Parameter blocks: a matrix whose integers are taken as they are; nil where `tensor` has it.
  private init(
    _ configuration: DecoderConfiguration, mode: NumericMode, backend: any Backend, lowestBlock: Int?,
    tensor: (ParameterTensor) throws -> Tensor, blocks: (ParameterTensor) throws -> BlockMatrix?
  ) throws {
    let layout = configuration.layout
    func described(_ name: String) -> ParameterTensor {
      guard let described = layout[name] else { preconditionFailure("no parameter `\(name)`") }
      return described
    }
    func named(_ name: String) throws -> Tensor { try tensor(described(name)) }
    self.configuration = configuration
    self.layout = layout
    self.mode = mode
    self.backend = backend
    workspace = Workspace(backend)
    func embeddingTable(_ table: Tensor) -> Tensor {
      if lowestBlock != nil { return table }
      let stored = backend.tensor(table.rows, table.columns, mode.operandType)
      backend.store(table, into: stored)
      return stored
    }
    if case .rotary(let rotary) = configuration.positions {
      self.rotary = RotaryTable(base: rotary.base, positions: 0, dimension: rotary.dimension, on: backend)
    }
    let headType = configuration.headType(in: mode)
    func packedHead(_ weights: Tensor) -> (forward: any PackedMatrix, backward: (any PackedMatrix)?) {
      (
        backend.pack(weights, as: headType, over: nil),
        lowestBlock.map { _ in backend.packTransposed(weights, as: mode.operandType, over: nil) }
      )
    }
    let ownHead = layout.name(of: .head)
    let headBlocks = try blocks(described(layout.headWeights))
    // What is read whole is held in here, and not while the blocks are read.
    func readEmbedding() throws -> (
      table: Tensor, head: (forward: any PackedMatrix, backward: (any PackedMatrix)?)?
    ) {
      let table = try named(layout.tokenEmbedding)
      return (embeddingTable(table), ownHead == nil && headBlocks == nil ? packedHead(table) : nil)
    }
    let (table, tiedHead) = try readEmbedding()
    embedding = table
    positionEmbedding = try layout.name(of: .positionEmbedding).map { embeddingTable(try named($0)) }
    precondition(
      (configuration.positions == .learned) == (positionEmbedding != nil),
      "learned positions have a table, others have none")
    (head, headTransposed) =
      try tiedHead ?? headBlocks.map { (backend.pack($0), nil) } ?? packedHead(named(layout.headWeights))
    self.headType = headType
    headBias = try layout.name(of: .headBias).map(named)
    guard let finalNormName = layout.name(of: .finalNorm) else {
      preconditionFailure("a layout has a final norm")
    }
    finalNorm = NormLayer(
      configuration.norm, weight: try named(finalNormName),
      bias: try layout.name(of: .finalNormBias).map(named), backend: backend)
    self.blocks = try (0..<configuration.layerCount).map { layer in
      try Block(
        layer: layer, configuration: configuration, layout: layout, mode: mode, backend: backend,
        forTraining: lowestBlock.map { layer >= $0 } ?? false, tensor: tensor, blocks: blocks)
    }
  }

  /// Takes changed parameters over: packs the named tensors again.
  func update(from parameters: Parameters, names: [String]) {
    if names.contains(layout.headWeights) {
      let weights = parameters[layout.headWeights]
      head = backend.pack(weights, as: headType, over: head)
      headTransposed = backend.packTransposed(weights, as: mode.operandType, over: headTransposed)
    }
    for layer in Set(names.compactMap { layout[$0]?.layer }) {
      blocks[layer].update(from: parameters, names: names)
    }
  }

  /// The residual stream after the last block, [T, C], before the final norm. The result lives in the
  /// workspace: use it before the next forward pass.
  func hidden(tokens: [Int32], view: any KeyValueView, activations: Activations? = nil) -> Tensor {
    let x = embedded(tokens, view)
    for (layer, block) in blocks.enumerated() {
      block.forward(
        x, view: view, rotary: rotary, workspace: workspace,
        activations: activations.flatMap { $0.blocks[layer] })
    }
    return x
  }

  /// Only these rows of it, [R, C], at less cost; with none, the pass fills the cache.
  func hidden(tokens: [Int32], view: any KeyValueView, rows: [Int32]) -> Tensor {
    let x = embedded(tokens, view)
    guard let last = blocks.last else { return self.rows(x, at: rows, named: "x.kept") }
    for block in blocks.dropLast() {
      block.forward(x, view: view, rotary: rotary, workspace: workspace, activations: nil)
    }
    return last.forward(x, keeping: rows, view: view, rotary: rotary, workspace: workspace)
  }

  private func embedded(_ tokens: [Int32], _ view: any KeyValueView) -> Tensor {
    let positions = view.positions
    precondition(tokens.count == positions.count, "one position a token")
    let length = positions.reduce(0) { max($0, Int($1) + 1) }
    precondition(
      length <= configuration.contextLength && positions.allSatisfy { $0 >= 0 },
      "a position outside the context")
    if case .rotary(let rule) = configuration.positions, let rotary, length > rotary.positions {
      self.rotary = RotaryTable(
        base: rule.base,
        positions: min(configuration.contextLength, max(length, 2 * rotary.positions, 256)),
        dimension: rule.dimension, extending: rotary, on: backend)
    }
    let x = rows(of: embedding, at: tokens, named: "x")
    if let positionEmbedding {
      backend.add(rows(of: positionEmbedding, at: positions, named: "x.positions"), into: x)
    }
    return x
  }

  /// Rows of an embedding, each number rounded as the mode's operands are.
  private func rows(of table: Tensor, at ids: [Int32], named name: String) -> Tensor {
    let x = workspace.tensor(name, ids.count, table.columns)
    backend.gather(table, ids, into: x)
    if table.type != mode.operandType {
      let rounded = workspace.tensor("x.operand", x.rows, x.columns, mode.operandType)
      backend.store(x, into: rounded)
      backend.gather(rounded, Array(0..<Int32(x.rows)), into: x)
    }
    return x
  }

  /// The head's outputs [R, V] at rows of the residual stream [R, C]. The result lives in the workspace.
  func logits(_ rows: Tensor) -> Tensor { headLogits(normalized(rows)) }

  /// The same of normalized rows [R, C].
  func headLogits(_ normed: Tensor) -> Tensor {
    let logits = workspace.tensor("logits", normed.rows, configuration.outputCount)
    backend.multiply(normed, head, bias: headBias, into: logits, accumulate: false)
    return logits
  }

  /// The final norm of rows [R, C], ready for the head. The result lives in the workspace.
  /// - Parameter statistics: what `backwardNormalized` reads.
  func normalized(_ rows: Tensor, statistics: NormStatistics? = nil) -> Tensor {
    let normed = workspace.tensor("normed.final", rows.rows, rows.columns, mode.operandType)
    finalNorm.forward(rows, into: normed, statistics: statistics)
    return normed
  }

  /// Room for the statistics of the final norm of so many rows, in the workspace.
  func finalNormStatistics(rows: Int) -> NormStatistics {
    NormStatistics(configuration.norm, rows: rows, named: "final", in: workspace)
  }

  /// The rows of x at these places, one after the other.
  func rows(_ x: Tensor, at places: [Int32], named name: String) -> Tensor {
    let out = workspace.tensor(name, places.count, x.columns)
    backend.gather(x, places, into: out)
    return out
  }

  /// The gradient through the head: dNormed [R, C] becomes that of normalized rows, and the head's gradients are added where
  /// `gradients` holds them.
  /// - Parameters:
  ///   - dLogits: [R, V]
  ///   - pieces: the parts of the rows that belong to one sequence each, cut only at multiples of a reduction block.
  func backwardHead(
    _ dLogits: Tensor, normed: Tensor, pieces: [Range<Int>], into dNormed: Tensor, gradients: GradientSums
  ) {
    guard let headTransposed else { preconditionFailure("the head is not packed for training") }
    let operand = workspace.tensor("dlogits.operand", dLogits.rows, dLogits.columns, mode.operandType)
    backend.store(dLogits, into: operand)
    backend.multiply(operand, headTransposed, into: dNormed, accumulate: false)
    if let bias = gradients.sum(at: layout.place(of: .headBias)) {
      backend.addBiasGradient(dLogits, into: bias)
    }
    guard gradients.contains(layout.headPlace.name) else { return }
    let packed = backend.packRows(
      normed, as: normed.type, reduction: ReductionBlocks(sequences: pieces), in: workspace)
    gradients.addProduct(operand, packed, at: layout.headPlace)
  }

  /// Adds to dRows [R, C] the gradient through the final norm, of which `statistics` were kept, and its parameters' gradients
  /// where `gradients` holds them.
  func backwardNormalized(
    _ rows: Tensor, statistics: NormStatistics, dNormed: Tensor, addTo dRows: Tensor, gradients: GradientSums
  ) {
    finalNorm.backward(
      rows, statistics: statistics, dy: dNormed, addTo: dRows,
      addToWeight: gradients.sum(at: layout.place(of: .finalNorm)),
      addToBias: gradients.sum(at: layout.place(of: .finalNormBias)))
  }
}
