// The decoder: weights ready for the kernels, and the forward pass over packed tokens.

/// A causal language model of the shape its configuration says.
///
/// Letters: T tokens of any sequences side by side, C hidden size, F feed-forward size, V vocabulary.
package final class Decoder {
  package let configuration: DecoderConfiguration
  package let mode: NumericMode
  let backend: any Backend
  /// Of positions that were used: it grows, since a context may be far longer than any text.
  private(set) var rotary: RotaryTable
  /// In the mode's type, or a trainer's fp32.
  private let embedding: Tensor
  let finalNorm: Tensor
  /// [C] -> [V]
  private(set) var head: PackedMatrix
  /// [V] -> [C], for the backward pass
  private(set) var headTransposed: PackedMatrix?
  private(set) var blocks: [Block]
  let workspace = Workspace()

  /// A decoder for inference; keeps only what the forward pass reads.
  package convenience init(
    _ configuration: DecoderConfiguration, from source: any TensorSource, mode: NumericMode,
    backend: any Backend
  ) throws {
    try self.init(configuration, mode: mode, backend: backend, lowestBlock: nil) { name, shape in
      try Parameters.read(name, shape, from: source)
    }
  }

  /// A decoder over parameters that a trainer changes; call `update` after each change.
  /// - Parameter lowestBlock: the first block that the backward pass enters.
  package convenience init(
    _ configuration: DecoderConfiguration, parameters: Parameters, mode: NumericMode, backend: any Backend,
    lowestBlock: Int
  ) {
    do {
      try self.init(configuration, mode: mode, backend: backend, lowestBlock: lowestBlock) { name, _ in
        parameters[name]
      }
    } catch { preconditionFailure("parameters held in memory cannot fail to be read: \(error)") }
  }

  private init(
    _ configuration: DecoderConfiguration, mode: NumericMode, backend: any Backend, lowestBlock: Int?,
    tensor: (String, [Int]) throws -> Tensor
  ) throws {
    self.configuration = configuration
    self.mode = mode
    self.backend = backend
    rotary = RotaryTable(
      base: configuration.rotaryBase, positions: 0, headDimension: configuration.headDimension)
    let shape = [configuration.vocabularySize, configuration.hiddenSize]
    let table = try tensor("model.embed_tokens.weight", shape)
    if lowestBlock == nil {
      embedding = Tensor(shape[0], shape[1], mode.operandType)
      backend.store(table, into: embedding)
    } else {
      embedding = table
    }
    let headWeights = configuration.tiedEmbeddings ? table : try tensor("lm_head.weight", shape)
    head = backend.pack(headWeights, as: mode.weightType, over: nil)
    headTransposed = lowestBlock.map { _ in
      backend.packTransposed(headWeights, as: mode.operandType, over: nil)
    }
    finalNorm = try tensor("model.norm.weight", [configuration.hiddenSize])
    let shapes = Dictionary(uniqueKeysWithValues: configuration.tensorShapes.map { ($0.name, $0.shape) })
    blocks = try (0..<configuration.layerCount).map { layer in
      try Block(
        layer: layer, configuration: configuration, mode: mode, backend: backend,
        forTraining: lowestBlock.map { layer >= $0 } ?? false
      ) { name in try tensor(name, shapes[name] ?? []) }
    }
  }

  /// Takes changed parameters over: packs the named tensors again.
  func update(from parameters: Parameters, names: [String]) {
    for name in names {
      let headName = configuration.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight"
      if name == headName {
        head = backend.pack(parameters[name], as: mode.weightType, over: head)
        headTransposed = backend.packTransposed(
          parameters[name], as: mode.operandType, over: headTransposed)
      }
    }
    for layer in blocks.indices { blocks[layer].update(from: parameters, names: names) }
  }

  /// The residual stream after the last block, [T, C], before the final norm. The result lives in the
  /// workspace: use it before the next forward pass.
  func hidden(tokens: [Int32], view: KeyValueView, activations: Activations? = nil) -> Tensor {
    let x = embedded(tokens, view)
    for (layer, block) in blocks.enumerated() {
      block.forward(
        x, view: view, rotary: rotary, workspace: workspace,
        activations: activations.flatMap { $0.blocks[layer] })
    }
    return x
  }

  /// Only these rows of it, [R, C], at less cost; with none, the pass fills the cache.
  func hidden(tokens: [Int32], view: KeyValueView, rows: [Int32]) -> Tensor {
    let x = embedded(tokens, view)
    guard let last = blocks.last else { return self.rows(x, at: rows, named: "x.kept") }
    for block in blocks.dropLast() {
      block.forward(x, view: view, rotary: rotary, workspace: workspace, activations: nil)
    }
    return last.forward(x, keeping: rows, view: view, rotary: rotary, workspace: workspace)
  }

  private func embedded(_ tokens: [Int32], _ view: KeyValueView) -> Tensor {
    precondition(tokens.count == view.queries.count, "one position a token")
    let length = view.queries.reduce(0) { max($0, Int($1.position) + 1) }
    precondition(
      length <= configuration.contextLength && view.queries.allSatisfy { $0.position >= 0 },
      "a position outside the context")
    if length > rotary.positions {
      rotary = rotary.extended(to: min(configuration.contextLength, max(length, 2 * rotary.positions, 256)))
    }
    let x = workspace.tensor("x", tokens.count, configuration.hiddenSize)
    backend.gather(embedding, tokens, into: x)
    if embedding.type != mode.operandType {
      let rounded = workspace.tensor("x.operand", x.rows, x.columns, mode.operandType)
      backend.store(x, into: rounded)
      backend.gather(rounded, Array(0..<Int32(x.rows)), into: x)
    }
    return x
  }

  /// Logits [R, V] of rows of the residual stream [R, C]. The result lives in the workspace.
  func logits(_ rows: Tensor) -> Tensor {
    let normed = normalized(rows)
    let logits = workspace.tensor("logits", rows.rows, configuration.vocabularySize)
    backend.multiply(normed, head, into: logits, accumulate: false)
    return logits
  }

  /// The final norm of rows, ready for the head.
  func normalized(_ rows: Tensor, rstd: Tensor? = nil) -> Tensor {
    let normed = workspace.tensor("normed.final", rows.rows, rows.columns, mode.operandType)
    backend.rmsNorm(
      rows, weight: finalNorm, epsilon: Float(configuration.normEpsilon), into: normed, rstd: rstd)
    return normed
  }

  /// The rows of x at these places, one after the other.
  func rows(_ x: Tensor, at places: [Int32], named name: String) -> Tensor {
    let out = workspace.tensor(name, places.count, x.columns)
    backend.gather(x, places, into: out)
    return out
  }
}
