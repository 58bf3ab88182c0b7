// One block: attention and feed-forward, each on a normed copy of the residual stream.

struct Block {
  let layer: Int
  let configuration: DecoderConfiguration
  let mode: NumericMode
  let backend: any Backend
  let attentionNorm: NormLayer
  /// Nil where the feed-forward network reads what the attention reads.
  let feedForwardNorm: NormLayer?
  private let layout: ParameterLayout
  private(set) var weights: BlockWeights

  init(
    layer: Int, configuration: DecoderConfiguration, layout: ParameterLayout, mode: NumericMode,
    backend: any Backend, forTraining: Bool, tensor: (ParameterTensor) throws -> Tensor,
    blocks: (ParameterTensor) throws -> BlockMatrix?
  ) throws {
    var read: [String: Tensor] = [:]
    func part(_ role: ParameterRole) throws -> Tensor? {
      guard let place = layout.place(of: role, layer: layer), let described = layout[place.name] else {
        return nil
      }
      let whole = try read[place.name] ?? tensor(described)
      if described.roles.count > 1 { read[place.name] = whole }
      return whole.part(at: place)
    }
    func blocksPart(_ role: ParameterRole) throws -> BlockMatrix? {
      guard let place = layout.place(of: role, layer: layer), let described = layout[place.name] else {
        return nil
      }
      return try blocks(described).map { $0.with(rows: Array($0.rows[place.outputs])) }
    }
    func norm(_ weight: ParameterRole, _ bias: ParameterRole) throws -> NormLayer? {
      try part(weight).map {
        NormLayer(configuration.norm, weight: $0, bias: try part(bias), backend: backend)
      }
    }
    guard let attentionNorm = try norm(.attentionNorm, .attentionNormBias) else {
      preconditionFailure("block \(layer) has no norm before its attention")
    }
    self.layer = layer
    self.configuration = configuration
    self.layout = layout
    self.mode = mode
    self.backend = backend
    self.attentionNorm = attentionNorm
    feedForwardNorm = try norm(.feedForwardNorm, .feedForwardNormBias)
    precondition(
      (configuration.residual == .parallel(sharesNorm: true)) == (feedForwardNorm == nil),
      "the norms of block \(layer) are not those of \(configuration.residual)")
    weights = try BlockWeights(
      layer: layer, layout: layout, mode: mode, backend: backend, forTraining: forTraining, tensor: part,
      blocks: blocksPart)
  }

  mutating func update(from parameters: Parameters, names: [String]) {
    weights.update(from: parameters, names: names)
  }

  /// The role's part of `gradients`; nil where it does not train, or there is none.
  func gradient(of role: ParameterRole, in gradients: GradientSums) -> Tensor? {
    gradients.sum(at: layout.place(of: role, layer: layer))
  }

  /// The product whose result the activation bends.
  var activated: Projection { configuration.isGated ? .gate : .up }

  /// Adds the block's two branches to x [T, C]. With activations, keeps what the backward pass reads.
  func forward(
    _ x: Tensor, view: any KeyValueView, rotary: RotaryTable?, workspace: Workspace,
    activations: BlockActivations?
  ) {
    if let activations { backend.store(x, into: activations.input) }
    storeKeysValues(
      x, view: view, rotary: rotary, workspace: workspace, statistics: activations?.attentionStatistics)
    addBranches(to: x, view: view, rotary: rotary, workspace: workspace, activations: activations)
  }

  /// The same, of which only `rows` of x are read afterwards: they come back as [R, C], and of the others the block
  /// computes keys and values alone.
  func forward(
    _ x: Tensor, keeping rows: [Int32], view: any KeyValueView, rotary: RotaryTable?, workspace: Workspace
  ) -> Tensor {
    storeKeysValues(x, view: view, rotary: rotary, workspace: workspace, statistics: nil)
    let kept = workspace.tensor("x.kept", rows.count, x.columns)
    if rows.isEmpty { return kept }
    backend.gather(x, rows, into: kept)
    let normed = workspace.tensor("normed", kept.rows, kept.columns, mode.operandType)
    attentionNorm.forward(kept, into: normed, statistics: nil)
    addBranches(
      to: kept, view: view.rows(rows), rotary: rotary, workspace: workspace, activations: nil)
    return kept
  }

  /// Leaves norm(x) in the workspace as `normed`, and its keys and values in the cache.
  private func storeKeysValues(
    _ x: Tensor, view: any KeyValueView, rotary: RotaryTable?, workspace: Workspace,
    statistics: NormStatistics?
  ) {
    let d = configuration.headDimension
    let normed = workspace.tensor("normed", x.rows, x.columns, mode.operandType)
    attentionNorm.forward(x, into: normed, statistics: statistics)
    let k = workspace.tensor("k", x.rows, configuration.keyValueHeadCount * d)
    let v = workspace.tensor("v", x.rows, configuration.keyValueHeadCount * d)
    weights.apply(.key, to: normed, into: k)
    weights.apply(.value, to: normed, into: v)
    backend.storeKeysValues(
      k, v, layer: layer, view: view, rule: configuration.attention(layer: layer), rotary: rotary)
  }

  /// Both branches of rows whose keys and values are stored and whose norm lies in the workspace.
  private func addBranches(
    to x: Tensor, view: any KeyValueView, rotary: RotaryTable?, workspace: Workspace,
    activations: BlockActivations?
  ) {
    let normed = workspace.tensor("normed", x.rows, configuration.hiddenSize, mode.operandType)
    guard configuration.residual == .sequential else {
      // x is not yet what the attention makes of it.
      let second = workspace.tensor("normed.second", x.rows, configuration.hiddenSize, mode.operandType)
      feedForwardNorm?.forward(x, into: second, statistics: activations?.feedForwardStatistics)
      addAttention(to: x, normed, view: view, rotary: rotary, workspace, activations)
      addFeedForward(to: x, feedForwardNorm == nil ? normed : second, workspace, activations)
      return
    }
    addAttention(to: x, normed, view: view, rotary: rotary, workspace, activations)
    if let activations { backend.store(x, into: activations.middle) }
    feedForwardNorm?.forward(x, into: normed, statistics: activations?.feedForwardStatistics)
    addFeedForward(to: x, normed, workspace, activations)
  }

  /// x += output(attention(rotate(query(n)), rotate(key(n)), value(n)))
  private func addAttention(
    to x: Tensor, _ normed: Tensor, view: any KeyValueView, rotary: RotaryTable?, _ workspace: Workspace,
    _ activations: BlockActivations?
  ) {
    let width = configuration.headCount * configuration.headDimension
    let q = activations?.query ?? workspace.tensor("q", x.rows, width)
    weights.apply(.query, to: normed, into: q)
    let attended = activations?.attended ?? workspace.tensor("attended", x.rows, width)
    backend.attention(
      q, layer: layer, view: view, rule: configuration.attention(layer: layer), rotary: rotary,
      into: attended, lse: activations?.lse)
    let attendedOperand = workspace.tensor("attended.operand", x.rows, width, mode.operandType)
    backend.store(attended, into: attendedOperand)
    weights.apply(.output, to: attendedOperand, into: x, accumulate: true)
  }

  /// x += down(activation(gate(n)) * up(n)), or down(activation(up(n)))
  private func addFeedForward(
    to x: Tensor, _ normed: Tensor, _ workspace: Workspace, _ activations: BlockActivations?
  ) {
    let (t, f) = (x.rows, configuration.feedForwardSize)
    let bent = activations?.gate ?? workspace.tensor("gate", t, f)
    var up: Tensor?
    if configuration.isGated {
      let factor = activations?.up ?? workspace.tensor("up", t, f)
      weights.apply(.up, to: normed, into: factor)
      up = factor
    }
    let gated = workspace.tensor("gated", t, f, mode.operandType)
    let product = weights[activated]
    backend.multiply(
      normed, product.packed, bias: product.bias, into: bent, activatedBy: configuration.activation,
      times: up, into: gated)
    weights.apply(.down, to: gated, into: x, accumulate: true)
  }
}
