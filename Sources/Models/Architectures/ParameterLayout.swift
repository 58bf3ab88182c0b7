// Every tensor of a model: its name, its shape, its block and what lies in it. A family's layout is the only place that spells names.

/// The products of a block.
package enum Projection: String, Sendable, CaseIterable { case query, key, value, output, gate, up, down }

/// What numbers of a model are for. Those of a block exist once in each.
package enum ParameterRole: Hashable, Sendable {
  case tokenEmbedding, positionEmbedding
  case attentionNorm, attentionNormBias, feedForwardNorm, feedForwardNormBias
  case weight(Projection)
  case bias(Projection)
  case finalNorm, finalNormBias
  /// The head's own weights; the weights of a tied language head are the token embedding.
  case head, headBias
}

/// One tensor of a model's file.
package struct ParameterTensor: Sendable {
  package let name: String
  /// [outputs, inputs], [inputs, outputs] where `isTransposed`, or [outputs].
  package let shape: [Int]
  /// The block it belongs to; nil outside of the blocks.
  package let layer: Int?
  /// What lies in it, side by side along its outputs in memory.
  package let roles: [ParameterRole]
  package let isTransposed: Bool
  /// Where a file has its outputs in another order than memory.
  package let interleaving: HeadInterleaving?
}

/// Where the numbers of a role lie.
package struct ParameterPlace: Sendable, Equatable {
  /// Of the tensor.
  package let name: String
  /// The role's part of the tensor's outputs in memory.
  package let outputs: Range<Int>
  /// The tensor is stored as [inputs, outputs], or has one row.
  package let outputsAreColumns: Bool
  /// A matrix stored as [inputs, outputs].
  package let isTransposed: Bool
}

package struct ParameterLayout: Sendable {
  /// In the order in which they are written.
  package private(set) var tensors: [ParameterTensor] = []
  private var indices: [String: Int] = [:]
  private var places: [Key: ParameterPlace] = [:]
  private let configuration: DecoderConfiguration

  private struct Key: Hashable {
    let role: ParameterRole
    let layer: Int?
  }

  package init(_ configuration: DecoderConfiguration) { self.configuration = configuration }

  /// Adds a tensor after those that are there; its shape follows from the roles that lie in it.
  /// - Parameter interleavesHeads: whether a file has the roles' outputs head by head.
  package mutating func add(
    _ name: String, _ roles: ParameterRole..., layer: Int? = nil, isTransposed: Bool = false,
    interleavesHeads: Bool = false
  ) {
    let shapes = roles.map { configuration.shape(of: $0) }
    let outputs = shapes.reduce(0) { $0 + $1[0] }
    let inputs = Array(shapes.first?.dropFirst() ?? [])
    precondition(shapes.allSatisfy { Array($0.dropFirst()) == inputs }, "`\(name)` holds shapes \(shapes)")
    precondition(indices[name] == nil, "two tensors `\(name)`")
    precondition(
      !interleavesHeads || !isTransposed && Set(shapes).count == 1, "`\(name)` interleaves shapes \(shapes)")
    let isMatrix = !inputs.isEmpty
    indices[name] = tensors.count
    tensors.append(
      ParameterTensor(
        name: name, shape: isTransposed ? inputs + [outputs] : [outputs] + inputs, layer: layer, roles: roles,
        isTransposed: isTransposed && isMatrix,
        interleaving: interleavesHeads
          ? HeadInterleaving(headCount: configuration.headCount, roleCount: roles.count) : nil))
    var first = 0
    for (role, shape) in zip(roles, shapes) {
      places[Key(role: role, layer: layer)] = ParameterPlace(
        name: name, outputs: first..<first + shape[0], outputsAreColumns: isTransposed || !isMatrix,
        isTransposed: isTransposed && isMatrix)
      first += shape[0]
    }
  }

  /// Adds the configuration's head.
  /// - Parameters:
  ///   - name: what the family calls a language head that is not tied.
  ///   - bias: likewise its bias, where it has one.
  package mutating func addHead(_ name: String, bias: String? = nil) {
    if let name = configuration.head.tensorName { return add(name, .head) }
    if !configuration.tiedEmbeddings { add(name, .head) }
    if let bias { add(bias, .headBias) }
  }

  package var names: [String] { tensors.map(\.name) }

  package subscript(name: String) -> ParameterTensor? { indices[name].map { tensors[$0] } }

  /// Nil where the model has no such numbers.
  package func place(of role: ParameterRole, layer: Int? = nil) -> ParameterPlace? {
    places[Key(role: role, layer: layer)]
  }

  /// The tensor that holds them.
  package func name(of role: ParameterRole, layer: Int? = nil) -> String? {
    place(of: role, layer: layer)?.name
  }

  package var tokenEmbedding: String { embeddingPlace.name }

  private var embeddingPlace: ParameterPlace {
    guard let place = place(of: .tokenEmbedding) else {
      preconditionFailure("a layout has a token embedding")
    }
    return place
  }

  /// Of the head's own weights, or of the token embedding to which it is tied.
  package var headPlace: ParameterPlace { place(of: .head) ?? embeddingPlace }

  package var headWeights: String { headPlace.name }

  /// The names to train: the last `blocks` blocks, the final norm, a head that is not over the vocabulary, and with `embeddings`
  /// all that is.
  package func trainableNames(blocks: Int, embeddings: Bool) -> [String] {
    let vocabularyRoles = configuration.vocabularyRoles + [.positionEmbedding]
    return tensors.filter { tensor in
      if let layer = tensor.layer { return layer >= configuration.layerCount - blocks }
      return embeddings || !tensor.roles.contains(where: vocabularyRoles.contains)
    }.map(\.name)
  }

  /// The first block that the backward pass has to enter so that these tensors get their gradients; as many as there are
  /// blocks where it enters none.
  package func lowestBlock(training names: [String]) -> Int {
    var lowest = configuration.layerCount
    for name in names {
      guard let tensor = self[name] else { preconditionFailure("no parameter `\(name)`") }
      if tensor.roles.contains(.tokenEmbedding) || tensor.roles.contains(.positionEmbedding) { return 0 }
      if let layer = tensor.layer { lowest = min(lowest, layer) }
    }
    return lowest
  }
}

extension DecoderConfiguration {
  /// The shape of a role's numbers: [outputs, inputs], or [outputs].
  package func shape(of role: ParameterRole) -> [Int] {
    switch role {
    case .tokenEmbedding: [vocabularySize, hiddenSize]
    case .head: [outputCount, hiddenSize]
    case .positionEmbedding: [contextLength, hiddenSize]
    case .headBias: [outputCount]
    case .attentionNorm, .attentionNormBias, .feedForwardNorm, .feedForwardNormBias, .finalNorm,
      .finalNormBias:
      [hiddenSize]
    case .weight(let projection): [outputs(of: projection), inputs(of: projection)]
    case .bias(let projection): [outputs(of: projection)]
    }
  }

  private func outputs(of projection: Projection) -> Int {
    switch projection {
    case .query: headCount * headDimension
    case .key, .value: keyValueHeadCount * headDimension
    case .gate, .up: feedForwardSize
    case .output, .down: hiddenSize
    }
  }

  private func inputs(of projection: Projection) -> Int {
    switch projection {
    case .query, .key, .value, .gate, .up: hiddenSize
    case .output: headCount * headDimension
    case .down: feedForwardSize
    }
  }

  package var parameterCount: Int {
    layout.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
  }
}
