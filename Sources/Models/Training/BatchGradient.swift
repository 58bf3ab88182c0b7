// The gradient of an objective on a batch: micro-batches packed without padding, leaves summed in a fixed tree.

/// The bits depend on the parameters, the examples, their order and the number of leaves; not on `tokenBudget`, memory or threads.
final class BatchGradient {
  private let policy: Decoder
  /// Of the next batch. Its terms, sequences and use of a reference stay.
  var objective: any Objective
  private let reference: ReferenceModel?
  private let referenceConditioned: Bool
  private let sharedColumns: Int
  private let backend: any Backend
  private let tree: GradientTree
  private let leafCount: Int
  private let lowestBlock: Int
  private let activationPolicy: ActivationPolicy
  private let tokenBudget: Int
  /// Of the leaf that is being computed.
  private var gradients: GradientSums
  /// Sums of the objective's terms over the targets so far.
  private var terms: [Double] = []
  /// Gradients at the embeddings of the micro-batches so far. A tied table gets the head's gradient too; all of that comes
  /// first, then these, so that the order of the sum does not depend on how a batch was cut.
  private var embeddingGradients: [(tokens: [Int32], rows: Tensor)] = []

  /// Rows of a language head's outputs that exist at once. Other heads have few, and all of a micro-batch's exist together.
  private static let vocabularyRows = 256

  /// - Parameters:
  ///   - empty: memory of the trainable parameters' shapes.
  ///   - reference: read where the objective uses one.
  ///   - lowestBlock: the first block that the backward pass enters.
  init(
    _ policy: Decoder, objective: any Objective, reference: ReferenceModel?, leaves: Int, lowestBlock: Int,
    activationPolicy: ActivationPolicy, tokenBudget: Int, empty: @escaping () -> Parameters
  ) {
    precondition(objective.reference == nil || reference != nil, "the objective needs a reference")
    self.policy = policy
    self.objective = objective
    self.reference = objective.reference == nil ? nil : reference
    self.lowestBlock = lowestBlock
    self.activationPolicy = activationPolicy
    referenceConditioned = objective.reference?.conditioned ?? false
    sharedColumns = min(
      reference?.sharedColumns ?? .max, policy.configuration.outputCount,
      reference?.decoder.configuration.outputCount ?? .max)
    backend = policy.backend
    leafCount = leaves
    self.tokenBudget = min(tokenBudget, activationPolicy.tokens)
    let first = empty()
    gradients = GradientSums(in: first)
    tree = GradientTree(first, backend: backend, empty: empty)
  }

  /// The gradient of the loss, and the sums of the objective's terms. Good until the next call.
  /// - Parameter targetCount: what the loss is divided by.
  func sum(over batch: [TrainingExample], targetCount: Int) -> (gradients: Parameters, terms: [Double]) {
    terms = objective.terms.map { _ in 0 }
    for leaf in leaves(of: batch, count: leafCount) {
      gradients = GradientSums(in: tree.leaf())
      addLeaf(leaf, scale: 1 / Float(targetCount))
      tree.add(gradients.total())
    }
    return (tree.total(), terms)
  }

  /// The sums of the objective's terms over the targets of a batch, without a gradient.
  func terms(over batch: [TrainingExample]) -> [Double] {
    terms = objective.terms.map { _ in 0 }
    for members in microBatches(batch) {
      let targets = PackedTargets(members.flatMap(\.targets))
      addLoss(
        of: targets, read(targets, by: policy), reference: reference.map { read($0, members) }, scale: 1,
        into: nil)
    }
    return terms
  }

  private func addLeaf(_ batch: ArraySlice<TrainingExample>, scale: Float) {
    for microBatch in microBatches(batch) { addMicroBatch(microBatch, scale: scale) }
    for (tokens, rows) in embeddingGradients {
      backend.scatterAdd(rows, tokens, into: gradients.sum(policy.layout.tokenEmbedding))
    }
    embeddingGradients = []
  }

  /// An example of a micro-batch, and what the policy reads of it.
  private typealias Member = (example: TrainingExample, targets: [TargetSequence])

  /// Whole examples, in order, up to the token budget.
  private func microBatches(_ batch: some Sequence<TrainingExample>) -> [[Member]] {
    var result: [[Member]] = []
    var tokens = 0
    for example in batch {
      let targets = objective.sequences(of: example, conditioned: true)
      let length = targets.reduce(0) { $0 + $1.tokens.count }
      if result.isEmpty || tokens + length > tokenBudget {
        result.append([])
        tokens = 0
      }
      result[result.count - 1].append((example, targets))
      tokens += length
    }
    return result
  }

  private func addMicroBatch(_ batch: [Member], scale: Float) {
    let configuration = policy.configuration
    let targets = PackedTargets(batch.flatMap(\.targets))
    let sequences = targets.sequences
    let workspace = policy.workspace
    let activations = Activations(
      sequences, configuration, mode: policy.mode, lowestBlock: lowestBlock,
      recomputes: activationPolicy.recomputes(tokens: sequences.tokens.count), workspace)
    let x = policy.hidden(tokens: sequences.tokens, view: activations.view, activations: activations)
    let rows = policy.rows(x, at: targets.rows, named: "loss.rows")
    let statistics = policy.finalNormStatistics(rows: rows.rows)
    let normed = policy.normalized(rows, statistics: statistics)
    let dNormed = workspace.tensor("loss.dnormed", rows.rows, configuration.hiddenSize)
    addLoss(of: targets, normed, reference: reference.map { read($0, batch) }, scale: scale, into: dNormed)

    let dRows = workspace.tensor("loss.drows", rows.rows, configuration.hiddenSize)
    backend.fill(dRows, with: 0)
    policy.backwardNormalized(
      rows, statistics: statistics, dNormed: dNormed, addTo: dRows, gradients: gradients)
    let dx = workspace.tensor("dx", sequences.tokens.count, configuration.hiddenSize)
    backend.fill(dx, with: 0)
    backend.scatterAdd(dRows, targets.rows, into: dx)
    policy.backward(
      sequences, activations: activations, dx: dx, gradients: gradients, lowestBlock: lowestBlock)
    if gradients.contains(policy.layout.tokenEmbedding) {
      // The workspace is used again by the next micro-batch.
      let kept = backend.tensor(dx.rows, dx.columns)
      backend.store(dx, into: kept)
      embeddingGradients.append((sequences.tokens, kept))
    }
  }

  /// Chunk by chunk: outputs, terms, and the gradient back through the head where one is wanted.
  /// - Parameters:
  ///   - normed: [R, C], the policy's rows at the targets.
  ///   - referenceNormed: the same of the reference.
  private func addLoss(
    of targets: PackedTargets, _ normed: Tensor, reference referenceNormed: Tensor?, scale: Float,
    into dNormed: Tensor?
  ) {
    let limit = policy.configuration.head == .language ? Self.vocabularyRows : Int.max
    for chunk in targets.chunks(limit: limit) {
      let outputs = policy.headLogits(normed.slice(chunk.rows))
      let referenceOutputs = referenceNormed.flatMap { rows in
        reference?.decoder.headLogits(rows.slice(chunk.rows))
      }
      let values = objective.loss(
        LossChunk(
          outputs: outputs, reference: referenceOutputs, sharedColumns: sharedColumns,
          labels: Array(targets.labels[chunk.rows]), sequences: chunk.sequences, scale: scale), on: backend)
      for (term, values) in values.enumerated() {
        for value in values { terms[term] += Double(value) }
      }
      if let dNormed {
        policy.backwardHead(
          outputs, normed: normed.slice(chunk.rows), pieces: chunk.pieces, into: dNormed.slice(chunk.rows),
          gradients: gradients)
      }
    }
  }

  /// The normed rows of the reference at the policy's targets.
  private func read(_ reference: ReferenceModel, _ batch: [Member]) -> Tensor {
    let targets = batch.flatMap { objective.sequences(of: $0.example, conditioned: referenceConditioned) }
    return read(PackedTargets(targets), by: reference.decoder)
  }

  /// Normed rows at the targets, in a pass that keeps nothing for a backward pass.
  private func read(_ targets: PackedTargets, by decoder: Decoder) -> Tensor {
    let (_, view) = Activations.contiguousView(
      targets.sequences, decoder.configuration, mode: decoder.mode, decoder.workspace)
    return decoder.normalized(
      decoder.hidden(tokens: targets.sequences.tokens, view: view, rows: targets.rows))
  }
}
