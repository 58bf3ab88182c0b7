// The backward pass, block by block, written by hand beside the forward pass it undoes.

extension Decoder {
  /// Adds the gradients of every block parameter in `gradients` that the residual gradient reaches.
  ///
  /// - Parameters:
  ///   - dx: [T, C], the gradient at the end of the last block; turned into that before the lowest block entered.
  ///   - lowestBlock: blocks below it are not entered, since nothing trainable lies there.
  func backward(
    _ sequences: PackedSequences, activations: Activations, dx: Tensor, gradients: Parameters,
    lowestBlock: Int
  ) {
    let reduction = ReductionBlocks(sequences: sequences.ranges)
    for layer in (lowestBlock..<blocks.count).reversed() {
      guard let kept = activations.blocks[layer] else {
        preconditionFailure("block \(layer) kept nothing for its backward pass")
      }
      // What the last block kept is still there.
      if activations.recomputes, layer < blocks.count - 1 {
        let x = workspace.tensor("x.again", dx.rows, dx.columns)
        backend.store(kept.input, into: x)
        blocks[layer].forward(
          x, view: activations.view, rotary: rotary, workspace: workspace,
          activations: kept)
      }
      blocks[layer].backward(
        dx, kept: kept,
        keys: activations.keysValues(layer: layer, 0, tokens: dx.rows),
        values: activations.keysValues(layer: layer, 1, tokens: dx.rows), sequences: sequences,
        reduction: reduction, rotary: rotary, workspace: workspace, gradients: gradients)
    }
  }
}

extension Block {
  /// Turns the gradient after the block, dx [T, C], into the gradient before it, and adds this block's
  /// parameter gradients where `gradients` holds them.
  fileprivate func backward(
    _ dx: Tensor, kept: BlockActivations, keys: Tensor, values: Tensor, sequences: PackedSequences,
    reduction: ReductionBlocks, rotary: RotaryTable, workspace: Workspace, gradients: Parameters
  ) {
    let (t, c, f) = (dx.rows, configuration.hiddenSize, configuration.feedForwardSize)
    let operand = mode.operandType
    let trains = gradient(of: .weight(.query), in: gradients) != nil
    let epsilon = Float(configuration.normEpsilon)

    func rounded(_ x: Tensor, _ name: String) -> Tensor {
      let out = workspace.tensor(name, x.rows, x.columns, operand)
      backend.store(x, into: out)
      return out
    }
    func applyTransposed(_ projection: Projection, to y: Tensor, into out: Tensor, accumulate: Bool) {
      self.applyTransposed(projection, to: y, into: out, accumulate: accumulate, workspace: workspace)
    }
    func packed(_ x: Tensor) -> any PackedMatrix {
      backend.packRows(x, as: operand, reduction: reduction, in: workspace)
    }
    func addWeightGradient(_ projection: Projection, _ dy: Tensor, _ x: any PackedMatrix) {
      guard let gradient = gradient(of: .weight(projection), in: gradients) else { return }
      backend.multiplyTransposed(dy, x, into: gradient)
    }
    func normed(_ x: Tensor, _ weight: Tensor) -> any PackedMatrix {
      let out = workspace.tensor("normed", t, c, operand)
      backend.rmsNorm(x, weight: weight, epsilon: epsilon, into: out, rstd: nil)
      return packed(out)
    }

    // Feed-forward
    let dy = rounded(dx, "dx.operand")
    let dgated = workspace.tensor("dgated", t, f)
    applyTransposed(.down, to: dy, into: dgated, accumulate: false)
    if trains {
      let gated = workspace.tensor("gated", t, f, operand)
      backend.activate(kept.gate, kept.up, by: configuration.activation, into: gated)
      addWeightGradient(.down, dy, packed(gated))
    }
    backend.activateBackward(kept.gate, kept.up, by: configuration.activation, dout: dgated)
    let dgate = rounded(kept.gate, "dgate.operand")
    let dup = rounded(kept.up, "dup.operand")
    let dnormed = workspace.tensor("dnormed", t, c)
    applyTransposed(.gate, to: dgate, into: dnormed, accumulate: false)
    applyTransposed(.up, to: dup, into: dnormed, accumulate: true)
    if trains {
      let input = normed(kept.middle, feedForwardNorm)
      addWeightGradient(.gate, dgate, input)
      addWeightGradient(.up, dup, input)
    }
    backend.rmsNormBackward(
      kept.middle, weight: feedForwardNorm, rstd: kept.feedForwardRstd, dy: dnormed, addTo: dx,
      addToWeight: gradient(of: .feedForwardNorm, in: gradients))

    // Attention
    let dOutput = rounded(dx, "dx.operand")
    let dattended = workspace.tensor("dattended", t, kept.query.columns)
    applyTransposed(.output, to: dOutput, into: dattended, accumulate: false)
    if trains { addWeightGradient(.output, dOutput, packed(rounded(kept.attended, "attended.operand"))) }
    let dq = workspace.tensor("dq", t, kept.query.columns)
    let dk = workspace.tensor("dk", t, keys.columns)
    let dv = workspace.tensor("dv", t, keys.columns)
    backend.attentionBackward(
      q: kept.query, k: keys, v: values, out: kept.attended, lse: kept.lse, dout: dattended,
      starts: sequences.starts, rule: configuration.attention, rotary: rotary, dq: dq, dk: dk, dv: dv)
    let dqOperand = rounded(dq, "dq.operand")
    let dkOperand = rounded(dk, "dk.operand")
    let dvOperand = rounded(dv, "dv.operand")
    applyTransposed(.query, to: dqOperand, into: dnormed, accumulate: false)
    applyTransposed(.key, to: dkOperand, into: dnormed, accumulate: true)
    applyTransposed(.value, to: dvOperand, into: dnormed, accumulate: true)
    if trains {
      let input = normed(kept.input, attentionNorm)
      addWeightGradient(.query, dqOperand, input)
      addWeightGradient(.key, dkOperand, input)
      addWeightGradient(.value, dvOperand, input)
    }
    backend.rmsNormBackward(
      kept.input, weight: attentionNorm, rstd: kept.attentionRstd, dy: dnormed, addTo: dx,
      addToWeight: gradient(of: .attentionNorm, in: gradients))
  }
}
