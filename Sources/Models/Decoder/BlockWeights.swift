// The weights of a block's products, wherever its family's file has them: packed for the kernels, and as the trainer changes them.

/// One product of a block: y = x W + b, x [T, K] and y [T, N].
struct ProjectionWeights {
  /// Of W.
  let place: ParameterPlace
  fileprivate(set) var packed: any PackedMatrix
  /// [1, N]; shares the memory of the parameters.
  let bias: Tensor?
  /// W as it lies in its tensor, [N, K] or [K, N]; nil in a block that the backward pass does not enter.
  let master: Tensor?
}

extension Tensor {
  /// The part of a tensor that holds a role.
  func part(at place: ParameterPlace) -> Tensor {
    place.outputsAreColumns ? columns(place.outputs) : slice(place.outputs)
  }
}

/// All products of a block.
struct BlockWeights {
  private var projections: [Projection: ProjectionWeights] = [:]
  private let mode: NumericMode
  private let backend: any Backend

  /// - Parameters:
  ///   - tensor: what reads a tensor of the layout, or shares a trainer's.
  ///   - blocks: a matrix whose integers are taken as they are; nil where `tensor` has it.
  init(
    layer: Int, layout: ParameterLayout, mode: NumericMode, backend: any Backend, forTraining: Bool,
    tensor: (ParameterRole) throws -> Tensor?, blocks: (ParameterRole) throws -> BlockMatrix?
  ) throws {
    self.mode = mode
    self.backend = backend
    for projection in Projection.allCases {
      guard let place = layout.place(of: .weight(projection), layer: layer) else { continue }
      if let matrix = try blocks(.weight(projection)) {
        projections[projection] = ProjectionWeights(
          place: place, packed: backend.pack(matrix), bias: try tensor(.bias(projection)), master: nil)
        continue
      }
      guard let weights = try tensor(.weight(projection)) else { continue }
      projections[projection] = ProjectionWeights(
        place: place, packed: Self.pack(weights, place, mode, backend, over: nil),
        bias: try tensor(.bias(projection)), master: forTraining ? weights : nil)
    }
  }

  private static func pack(
    _ weights: Tensor, _ place: ParameterPlace, _ mode: NumericMode, _ backend: any Backend,
    over old: (any PackedMatrix)?
  ) -> any PackedMatrix {
    place.isTransposed
      ? backend.packTransposed(weights, as: mode.weightType, over: old)
      : backend.pack(weights, as: mode.weightType, over: old)
  }

  mutating func update(from parameters: Parameters, names: [String]) {
    for (projection, held) in projections where names.contains(held.place.name) {
      let weights = parameters[held.place.name].part(at: held.place)
      let packed = Self.pack(weights, held.place, mode, backend, over: held.packed)
      projections[projection]?.packed = packed
    }
  }

  subscript(projection: Projection) -> ProjectionWeights {
    guard let weights = projections[projection] else { preconditionFailure("the block has no \(projection)") }
    return weights
  }

  /// out = x W + b
  func apply(_ projection: Projection, to x: Tensor, into out: Tensor, accumulate: Bool = false) {
    let weights = self[projection]
    backend.multiply(x, weights.packed, bias: weights.bias, into: out, accumulate: accumulate)
  }

  /// out = y W^T. Packed anew each time: little beside the product, and no second copy of all weights.
  func applyTransposed(
    _ projection: Projection, to y: Tensor, into out: Tensor, accumulate: Bool, workspace: Workspace
  ) {
    let weights = self[projection]
    guard let master = weights.master else {
      preconditionFailure("the backward pass does not enter this block")
    }
    let packed =
      weights.place.isTransposed
      ? backend.pack(master, as: mode.operandType, in: workspace)
      : backend.packRows(
        master, as: mode.operandType, reduction: ReductionBlocks(master.rows), in: workspace)
    backend.multiply(y, packed, into: out, accumulate: accumulate)
  }

  /// Adds the gradients of products of one input x [T, K] where they train, for those of their outputs, dy [T, N].
  func addGradients(
    _ outputs: [(projection: Projection, dy: Tensor)], input x: Tensor, reduction: ReductionBlocks,
    to gradients: GradientSums, workspace: Workspace
  ) {
    let trained = outputs.map { (dy: $0.dy, place: self[$0.projection].place) }
      .filter { gradients.contains($0.place.name) }
    let direct = trained.filter { !$0.place.isTransposed }
    if !direct.isEmpty {
      let packed = backend.packRows(x, as: mode.operandType, reduction: reduction, in: workspace)
      for (dy, place) in direct { gradients.addProduct(dy, packed, at: place) }
    }
    for (dy, place) in trained where place.isTransposed {
      let packed = backend.packRows(dy, as: mode.operandType, reduction: reduction, in: workspace)
      gradients.addProduct(x, packed, at: place)
    }
  }
}
