// A norm with its parameters: its forward pass, and its backward pass beside it.

/// What a norm's forward pass keeps of its rows for its backward pass.
struct NormStatistics {
  /// [R, 1]; nil for a norm that takes no mean.
  let mean: Tensor?
  /// [R, 1]
  let rstd: Tensor

  /// Room for so many rows.
  init(_ norm: Norm, rows: Int, named name: String, in workspace: Workspace) {
    mean = norm.kind == .layer ? workspace.tensor("\(name).mean", rows, 1) : nil
    rstd = workspace.tensor("\(name).rstd", rows, 1)
  }
}

/// A norm of the residual stream. R rows of C.
struct NormLayer {
  private let norm: Norm
  private let weight: Tensor
  /// Of a layer norm.
  private let bias: Tensor?
  private let backend: any Backend

  init(_ norm: Norm, weight: Tensor, bias: Tensor?, backend: any Backend) {
    precondition((norm.kind == .layer) == (bias != nil), "a layer norm has a bias, another norm has none")
    self.norm = norm
    self.weight = weight
    self.bias = bias
    self.backend = backend
  }

  func forward(_ x: Tensor, into out: Tensor, statistics: NormStatistics?) {
    let epsilon = Float(norm.epsilon)
    guard let bias else {
      backend.rmsNorm(x, weight: weight, epsilon: epsilon, into: out, rstd: statistics?.rstd)
      return
    }
    backend.layerNorm(
      x, weight: weight, bias: bias, epsilon: epsilon, into: out, mean: statistics?.mean,
      rstd: statistics?.rstd)
  }

  /// Adds the gradient to dx [R, C], and to the parameters' gradients where they train.
  func backward(
    _ x: Tensor, statistics: NormStatistics, dy: Tensor, addTo dx: Tensor, addToWeight dw: Tensor?,
    addToBias db: Tensor?
  ) {
    guard bias != nil else {
      backend.rmsNormBackward(
        x, weight: weight, rstd: statistics.rstd, dy: dy, addTo: dx, addToWeight: dw)
      return
    }
    guard let mean = statistics.mean else { preconditionFailure("a layer norm keeps its means") }
    backend.layerNormBackward(
      x, weight: weight, mean: mean, rstd: statistics.rstd, dy: dy, addTo: dx, addToWeight: dw, addToBias: db)
  }
}
