// The backward pass, block by block, down to the embeddings.

extension Decoder {
  /// Adds the gradients of every block parameter in `gradients` that the residual gradient reaches, and those of the position
  /// embedding.
  ///
  /// - Parameters:
  ///   - dx: [T, C], the gradient at the end of the last block; turned into that before the lowest block entered.
  ///   - lowestBlock: blocks below it are not entered, since nothing trainable lies there.
  func backward(
    _ sequences: PackedSequences, activations: Activations, dx: Tensor, gradients: GradientSums,
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
    if let positions = gradients.sum(at: layout.place(of: .positionEmbedding)) {
      backend.scatterAdd(dx, sequences.ranges.flatMap { 0..<Int32($0.count) }, into: positions)
    }
  }
}
