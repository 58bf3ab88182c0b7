// The backward pass of one block, written by hand beside the forward pass it undoes.

extension Block {
  /// Turns the gradient after the block, dx [T, C], into the gradient before it, and adds this block's
  /// parameter gradients where `gradients` holds them.
  func backward(
    _ dx: Tensor, kept: BlockActivations, keys: Tensor, values: Tensor, sequences: PackedSequences,
    reduction: ReductionBlocks, rotary: RotaryTable?, workspace: Workspace, gradients: GradientSums
  ) {
    let pass = BlockBackwardPass(
      block: self, kept: kept, reduction: reduction, workspace: workspace, gradients: gradients)
    let attention = { (dy: Tensor, dnormed: Tensor, accumulate: Bool) in
      pass.attention(
        dy, keys: keys, values: values, sequences: sequences, rotary: rotary, into: dnormed,
        accumulate: accumulate)
    }
    let dnormed = workspace.tensor("dnormed", dx.rows, dx.columns)
    let dy = pass.rounded(dx, "dx.operand")
    pass.addBiasGradient(.down, dx)
    switch configuration.residual {
    case .sequential:
      pass.feedForward(dy, input: kept.middle, into: dnormed)
      pass.feedForwardNorm(kept.middle, dy: dnormed, addTo: dx)
      let dOutput = pass.rounded(dx, "dx.operand")
      pass.addBiasGradient(.output, dx)
      attention(dOutput, dnormed, false)
      pass.attentionNorm(dy: dnormed, addTo: dx)
    case .parallel(let sharesNorm):
      pass.addBiasGradient(.output, dx)
      pass.feedForward(dy, input: kept.input, into: dnormed)
      if !sharesNorm { pass.feedForwardNorm(kept.input, dy: dnormed, addTo: dx) }
      attention(dy, dnormed, sharesNorm)
      pass.attentionNorm(dy: dnormed, addTo: dx)
    }
  }
}

/// What the parts of a block's backward pass share. T tokens, C hidden, F feed-forward.
private struct BlockBackwardPass {
  let block: Block
  let kept: BlockActivations
  let reduction: ReductionBlocks
  let workspace: Workspace
  let gradients: GradientSums

  private var backend: any Backend { block.backend }
  private var operand: ElementType { block.mode.operandType }
  private var configuration: DecoderConfiguration { block.configuration }

  func rounded(_ x: Tensor, _ name: String) -> Tensor {
    let out = workspace.tensor(name, x.rows, x.columns, operand)
    backend.store(x, into: out)
    return out
  }

  func addBiasGradient(_ projection: Projection, _ dy: Tensor) {
    guard let gradient = block.gradient(of: .bias(projection), in: gradients) else { return }
    backend.addBiasGradient(dy, into: gradient)
  }

  private func trains(_ projections: [Projection]) -> Bool {
    projections.contains { gradients.contains(block.weights[$0].place.name) }
  }

  private func applyTransposed(
    _ projection: Projection, to dy: Tensor, into out: Tensor, accumulate: Bool
  ) {
    block.weights.applyTransposed(
      projection, to: dy, into: out, accumulate: accumulate, workspace: workspace)
  }

  private func addWeightGradients(_ outputs: [(projection: Projection, dy: Tensor)], input: Tensor) {
    block.weights.addGradients(
      outputs, input: input, reduction: reduction, to: gradients, workspace: workspace)
  }

  /// The norm of x, computed again.
  private func normed(_ x: Tensor, _ norm: NormLayer) -> Tensor {
    let out = workspace.tensor("normed", x.rows, x.columns, operand)
    norm.forward(x, into: out, statistics: nil)
    return out
  }

  /// dnormed [T, C] becomes the gradient of what the network reads, the norm of `input`, of that of its result, dy [T, C].
  func feedForward(_ dy: Tensor, input: Tensor, into dnormed: Tensor) {
    let (t, f) = (dy.rows, configuration.feedForwardSize)
    let dgated = workspace.tensor("dgated", t, f)
    applyTransposed(.down, to: dy, into: dgated, accumulate: false)
    if trains([.down]) {
      let gated = workspace.tensor("gated", t, f, operand)
      backend.activate(kept.gate, kept.up, by: configuration.activation, into: gated)
      addWeightGradients([(.down, dy)], input: gated)
    }
    backend.activateBackward(kept.gate, kept.up, by: configuration.activation, dout: dgated)
    var outputs = [(projection: block.activated, dy: rounded(kept.gate, "dgate.operand"))]
    addBiasGradient(block.activated, kept.gate)
    if let up = kept.up {
      outputs.append((.up, rounded(up, "dup.operand")))
      addBiasGradient(.up, up)
    }
    for (index, output) in outputs.enumerated() {
      applyTransposed(output.projection, to: output.dy, into: dnormed, accumulate: index > 0)
    }
    if trains(outputs.map(\.projection)) {
      addWeightGradients(outputs, input: normed(input, block.feedForwardNorm ?? block.attentionNorm))
    }
  }

  /// Adds to dnormed [T, C], or writes over it, the gradient of what the attention reads, of that of its result, dy [T, C].
  func attention(
    _ dy: Tensor, keys: Tensor, values: Tensor, sequences: PackedSequences, rotary: RotaryTable?,
    into dnormed: Tensor, accumulate: Bool
  ) {
    let t = dy.rows
    let dattended = workspace.tensor("dattended", t, kept.query.columns)
    applyTransposed(.output, to: dy, into: dattended, accumulate: false)
    if trains([.output]) {
      addWeightGradients([(.output, dy)], input: rounded(kept.attended, "attended.operand"))
    }
    let dq = workspace.tensor("dq", t, kept.query.columns)
    let dk = workspace.tensor("dk", t, keys.columns)
    let dv = workspace.tensor("dv", t, keys.columns)
    backend.attentionBackward(
      q: kept.query, k: keys, v: values, out: kept.attended, lse: kept.lse, dout: dattended,
      starts: sequences.starts, rule: configuration.attention(layer: block.layer), rotary: rotary, dq: dq,
      dk: dk, dv: dv)
    let outputs = [
      (projection: Projection.query, dy: rounded(dq, "dq.operand")),
      (projection: .key, dy: rounded(dk, "dk.operand")),
      (projection: .value, dy: rounded(dv, "dv.operand")),
    ]
    for (projection, gradient) in [(Projection.query, dq), (.key, dk), (.value, dv)] {
      addBiasGradient(projection, gradient)
    }
    for (index, output) in outputs.enumerated() {
      applyTransposed(output.projection, to: output.dy, into: dnormed, accumulate: accumulate || index > 0)
    }
    if trains([.query, .key, .value]) {
      addWeightGradients(outputs, input: normed(kept.input, block.attentionNorm))
    }
  }

  func attentionNorm(dy: Tensor, addTo dx: Tensor) {
    block.attentionNorm.backward(
      kept.input, statistics: kept.attentionStatistics, dy: dy, addTo: dx,
      addToWeight: block.gradient(of: .attentionNorm, in: gradients),
      addToBias: block.gradient(of: .attentionNormBias, in: gradients))
  }

  func feedForwardNorm(_ x: Tensor, dy: Tensor, addTo dx: Tensor) {
    block.feedForwardNorm?.backward(
      x, statistics: kept.feedForwardStatistics, dy: dy, addTo: dx,
      addToWeight: block.gradient(of: .feedForwardNorm, in: gradients),
      addToBias: block.gradient(of: .feedForwardNormBias, in: gradients))
  }
}
