// One block: attention and feed-forward, each on a normed copy of the residual stream.

struct Block {
  let layer: Int
  let configuration: DecoderConfiguration
  let mode: NumericMode
  let backend: any Backend
  let attentionNorm: Tensor
  let feedForwardNorm: Tensor
  private let layout: ParameterLayout
  private var forward: [Projection: any PackedMatrix] = [:]
  /// Weights of a block that the backward pass enters, as the trainer changes them.
  private var masters: [Projection: Tensor] = [:]

  init(
    layer: Int, configuration: DecoderConfiguration, layout: ParameterLayout, mode: NumericMode,
    backend: any Backend, forTraining: Bool, tensor: (ParameterTensor) throws -> Tensor
  ) throws {
    func tensorOf(_ role: ParameterRole) throws -> Tensor {
      guard let named = layout.name(of: role, layer: layer), let described = layout[named] else {
        preconditionFailure("block \(layer) has no \(role)")
      }
      return try tensor(described)
    }
    self.layer = layer
    self.configuration = configuration
    self.layout = layout
    self.mode = mode
    self.backend = backend
    attentionNorm = try tensorOf(.attentionNorm)
    feedForwardNorm = try tensorOf(.feedForwardNorm)
    for projection in Projection.allCases {
      let weights = try tensorOf(.weight(projection))
      forward[projection] = backend.pack(weights, as: mode.weightType, over: nil)
      if forTraining { masters[projection] = weights }
    }
  }

  mutating func update(from parameters: Parameters, names: [String]) {
    for projection in Projection.allCases {
      guard let name = name(of: .weight(projection)), names.contains(name) else { continue }
      forward[projection] = backend.pack(parameters[name], as: mode.weightType, over: forward[projection])
    }
  }

  /// The tensor that holds a role of this block.
  func name(of role: ParameterRole) -> String? { layout.name(of: role, layer: layer) }

  /// The role's part of `gradients`; nil where it does not train.
  func gradient(of role: ParameterRole, in gradients: Parameters) -> Tensor? {
    name(of: role).flatMap { gradients.contains($0) ? gradients[$0] : nil }
  }

  /// out = x W^T
  func apply(_ projection: Projection, to x: Tensor, into out: Tensor, accumulate: Bool = false) {
    backend.multiply(x, packed(projection), into: out, accumulate: accumulate)
  }

  private func packed(_ projection: Projection) -> any PackedMatrix {
    guard let weights = forward[projection] else { preconditionFailure("\(projection) is not packed") }
    return weights
  }

  /// out = y W. Packed anew each time: little beside the product, and no second copy of all weights.
  func applyTransposed(
    _ projection: Projection, to y: Tensor, into out: Tensor, accumulate: Bool, workspace: Workspace
  ) {
    guard let weights = masters[projection] else {
      preconditionFailure("the backward pass does not enter block \(layer)")
    }
    let packed = backend.packRows(
      weights, as: mode.operandType, reduction: ReductionBlocks(weights.rows), in: workspace)
    backend.multiply(y, packed, into: out, accumulate: accumulate)
  }

  /// Adds the block's two branches to x [T, C]. With activations, keeps what the backward pass reads.
  func forward(
    _ x: Tensor, view: any KeyValueView, rotary: RotaryTable, workspace: Workspace,
    activations: BlockActivations?
  ) {
    if let activations { backend.store(x, into: activations.input) }
    storeKeysValues(
      x, view: view, rotary: rotary, workspace: workspace, rstd: activations?.attentionRstd)
    addBranches(to: x, view: view, rotary: rotary, workspace: workspace, activations: activations)
  }

  /// The same, of which only `rows` of x are read afterwards: they come back as [R, C], and of the others the block
  /// computes keys and values alone.
  func forward(
    _ x: Tensor, keeping rows: [Int32], view: any KeyValueView, rotary: RotaryTable, workspace: Workspace
  ) -> Tensor {
    storeKeysValues(x, view: view, rotary: rotary, workspace: workspace, rstd: nil)
    let kept = workspace.tensor("x.kept", rows.count, x.columns)
    if rows.isEmpty { return kept }
    backend.gather(x, rows, into: kept)
    let normed = workspace.tensor("normed", kept.rows, kept.columns, mode.operandType)
    backend.rmsNorm(
      kept, weight: attentionNorm, epsilon: Float(configuration.normEpsilon), into: normed, rstd: nil)
    addBranches(
      to: kept, view: view.rows(rows), rotary: rotary, workspace: workspace, activations: nil)
    return kept
  }

  /// Leaves norm(x) in the workspace as `normed`, and its keys and values in the cache.
  private func storeKeysValues(
    _ x: Tensor, view: any KeyValueView, rotary: RotaryTable, workspace: Workspace, rstd: Tensor?
  ) {
    let d = configuration.headDimension
    let normed = workspace.tensor("normed", x.rows, x.columns, mode.operandType)
    backend.rmsNorm(
      x, weight: attentionNorm, epsilon: Float(configuration.normEpsilon), into: normed, rstd: rstd)
    let k = workspace.tensor("k", x.rows, configuration.keyValueHeadCount * d)
    let v = workspace.tensor("v", x.rows, configuration.keyValueHeadCount * d)
    apply(.key, to: normed, into: k)
    apply(.value, to: normed, into: v)
    backend.storeKeysValues(k, v, layer: layer, view: view, rule: configuration.attention, rotary: rotary)
  }

  /// Both branches of rows whose keys and values are stored and whose norm lies in the workspace.
  private func addBranches(
    to x: Tensor, view: any KeyValueView, rotary: RotaryTable, workspace: Workspace,
    activations: BlockActivations?
  ) {
    let (t, c, f) = (x.rows, configuration.hiddenSize, configuration.feedForwardSize)
    let d = configuration.headDimension
    let epsilon = Float(configuration.normEpsilon)
    let operand = mode.operandType
    let normed = workspace.tensor("normed", t, c, operand)

    // Attention: x += o(attention(rotate(q(n)), rotate(k(n)), v(n))), n = norm(x)
    let q = activations?.query ?? workspace.tensor("q", t, configuration.headCount * d)
    apply(.query, to: normed, into: q)
    let attended = activations?.attended ?? workspace.tensor("attended", t, q.columns)
    backend.attention(
      q, layer: layer, view: view, rule: configuration.attention, rotary: rotary, into: attended,
      lse: activations?.lse)
    let attendedOperand = workspace.tensor("attended.operand", t, q.columns, operand)
    backend.store(attended, into: attendedOperand)
    apply(.output, to: attendedOperand, into: x, accumulate: true)

    // Feed-forward: x += down(activation(gate(n)) * up(n)), n = norm(x)
    if let activations { backend.store(x, into: activations.middle) }
    backend.rmsNorm(
      x, weight: feedForwardNorm, epsilon: epsilon, into: normed, rstd: activations?.feedForwardRstd)
    let gate = activations?.gate ?? workspace.tensor("gate", t, f)
    let up = activations?.up ?? workspace.tensor("up", t, f)
    let gated = workspace.tensor("gated", t, f, operand)
    apply(.up, to: normed, into: up)
    backend.multiply(
      normed, packed(.gate), into: gate, activatedBy: configuration.activation, times: up, into: gated)
    apply(.down, to: gated, into: x, accumulate: true)
  }
}
