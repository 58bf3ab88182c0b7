// The trainer: one optimizer step at a time over fp32 masters, sequences packed without padding.

/// What a step reports.
package struct TrainingStep: Sendable {
  package let step: Int
  /// The objective, and its unweighted terms, as means over the batch's target tokens.
  package let loss: Double
  package let languageModel: Double
  package let kl: Double
  package let entropy: Double
  /// Before clipping.
  package let gradientNorm: Double
  package let learningRate: Double
  package let targetTokens: Int
}

/// The last rows of the token embedding, and how many times the common learning rate they learn at.
package struct FastRows: Sendable {
  let rows: Range<Int>
  let factor: Double
  package init(rows: Range<Int>, factor: Double) {
    self.rows = rows
    self.factor = factor
  }
}

/// A loss, gradients or parameters stopped being numbers.
package struct TrainingDiverged: Error, Sendable, CustomStringConvertible {
  /// Counted from 1.
  let step: Int
  let what: What
  enum What {
    case loss
    case gradientNorm
    /// After the step's update.
    case tensor(name: String, count: Int)
  }

  package var description: String {
    let remedy = "lower `lr`, or clip gradients with `max_gradient_norm`"
    switch what {
    case .tensor(let name, let count):
      return
        "\(count) numbers of the tensor `\(name)` are NaN or infinite after step \(step), so that the model is not stored; \(remedy)"
    case .loss, .gradientNorm:
      let name = if case .loss = what { "loss" } else { "gradient norm" }
      return "the \(name) is not a finite number at step \(step)"
        + (step == 1
          ? ", before any update: the policy or the reference has weights that are too large or NaN"
          : "; \(remedy)")
    }
  }
}

/// Trains a policy on feedback-conditioned rows. The bits of the result depend on the parameters, the
/// examples, their order and the options; not on `tokenBudget`, memory, threads or interruptions.
package final class ConditionalTrainer {
  package let parameters: Parameters
  package let trainable: [String]
  package private(set) var step = 0
  let firstMoments: Parameters
  let secondMoments: Parameters
  /// Of the leaf that is being computed, then of the batch.
  private var gradients: Parameters
  private let tree: GradientTree
  private let gradientLeaves: Int
  private let policy: Decoder
  private let reference: Decoder?
  private let referenceConditioned: Bool
  private let klColumns: Int
  private let objective: ConditionalObjective
  private let optimizer: AdamW
  private let schedule: LearningRateSchedule
  private let maximumGradientNorm: Double?
  private let tokenBudget: Int
  private let activationPolicy: ActivationPolicy
  private let fastRows: FastRows?
  private let layout: ParameterLayout
  private let lowestBlock: Int
  private let backend: any Backend
  /// Gradients at the embeddings of the micro-batches so far. A tied table gets the head's gradient too; all of that comes
  /// first, then these, so that the order of the sum does not depend on how a batch was cut.
  private var embeddingGradients: [(tokens: [Int32], rows: Tensor)] = []
  /// Being written; it reads `parameters` and the moments.
  var checkpoint: BackgroundWork?

  /// Rows of logits that exist at once.
  private static let logitRows = 128

  /// - Parameters:
  ///   - parameters: fp32 masters, changed in place.
  ///   - trainable: names of the tensors that change.
  ///   - reference: needed when `objective.kl` is not 0; its vocabulary may lack the policy's last tokens.
  ///   - referenceConditioned: whether the reference reads the conditioning too.
  ///   - klColumns: the first columns of the vocabulary, which the KL term compares; those that both have when nil.
  ///   - fastRows: embedding rows that start as noise and have to learn faster than the rest.
  ///   - gradientLeaves: parts of a batch whose gradients are summed apart, then in a tree; part of what is computed.
  ///   - tokenBudget: tokens in one forward and backward pass; changes no result.
  ///   - memory: bytes for what a forward pass keeps for its backward pass; changes no result.
  package init(
    _ configuration: DecoderConfiguration, parameters: Parameters, trainable: [String],
    reference: Decoder?, referenceConditioned: Bool, klColumns: Int? = nil, objective: ConditionalObjective,
    optimizer: AdamW,
    schedule: LearningRateSchedule, fastRows: FastRows? = nil, maximumGradientNorm: Double?,
    gradientLeaves: Int = 1, mode: NumericMode, backend: any Backend, tokenBudget: Int = 1024,
    memory: Int = 512 << 20
  ) {
    self.parameters = parameters
    self.trainable = trainable
    self.reference = objective.kl == 0 ? nil : reference
    self.referenceConditioned = referenceConditioned
    self.klColumns = min(
      klColumns ?? .max, configuration.vocabularySize, reference?.configuration.vocabularySize ?? .max)
    self.objective = objective
    self.optimizer = optimizer
    self.schedule = schedule
    self.maximumGradientNorm = maximumGradientNorm
    self.gradientLeaves = gradientLeaves
    self.fastRows = fastRows
    self.backend = backend
    precondition(mode.hasGradients, "\(mode.rawValue) has no gradients")
    precondition(objective.kl == 0 || reference != nil, "a KL term needs a reference")
    let gradients = Parameters(zerosLike: parameters, names: trainable)
    self.gradients = gradients
    tree = GradientTree(gradients, backend: backend) { Parameters(zerosLike: parameters, names: trainable) }
    firstMoments = Parameters(zerosLike: parameters, names: trainable)
    secondMoments = Parameters(zerosLike: parameters, names: trainable)
    layout = configuration.layout
    lowestBlock = layout.lowestBlock(training: trainable)
    activationPolicy = ActivationPolicy(configuration, mode: mode, lowestBlock: lowestBlock, memory: memory)
    self.tokenBudget = min(tokenBudget, activationPolicy.tokens)
    policy = Decoder(
      configuration, parameters: parameters, mode: mode, backend: backend, lowestBlock: lowestBlock)
  }

  /// One step on a batch.
  /// - Throws: `TrainingDiverged`, or what the checkpoint that was being written failed with; the parameters are then as
  ///   before the step.
  package func train(_ batch: [TrainingExample]) throws -> TrainingStep {
    let targetTokens = batch.reduce(0) { $0 + $1.output.count }
    var totals = LossTotals()
    sumGradients(of: batch, targetTokens: targetTokens, totals: &totals)
    try finishCheckpoint()
    let count = Double(targetTokens)
    let loss = (totals.languageModel + objective.kl * totals.kl - objective.entropy * totals.entropy) / count
    guard loss.isFinite else { throw TrainingDiverged(step: step + 1, what: .loss) }
    var squares = 0.0
    for name in trainable { squares += backend.sumOfSquares(gradients[name]) }
    let norm = squares.squareRoot()
    guard norm.isFinite else { throw TrainingDiverged(step: step + 1, what: .gradientNorm) }
    let clip = maximumGradientNorm.map { norm > $0 ? $0 / (norm + 1e-6) : 1 } ?? 1
    let rate = schedule.rate(at: step)
    let update = optimizer.step(step + 1, learningRate: rate, gradientScale: clip)
    for name in trainable {
      let isTable = name == layout.tokenEmbedding
      let ordinary = isTable ? fastRows?.rows.lowerBound ?? parameters[name].rows : parameters[name].rows
      apply(update, to: name, rows: 0..<ordinary)
      if isTable, let fastRows {
        apply(
          optimizer.step(step + 1, learningRate: rate * fastRows.factor, gradientScale: clip), to: name,
          rows: fastRows.rows)
      }
    }
    policy.update(from: parameters, names: trainable)
    step += 1
    return TrainingStep(
      step: step, loss: loss, languageModel: totals.languageModel / count, kl: totals.kl / count,
      entropy: totals.entropy / count, gradientNorm: norm, learningRate: rate, targetTokens: targetTokens)
  }

  /// Whether what the last step left can be stored: the loss of a next step would show it, and there is none. One pass.
  /// - Throws: `TrainingDiverged`.
  package func checkParameters() throws {
    if let (name, count) = parameters.firstNonFinite(backend) {
      throw TrainingDiverged(step: step, what: .tensor(name: name, count: count))
    }
  }

  private func apply(_ update: AdamWStep, to name: String, rows: Range<Int>) {
    backend.adamW(
      parameters[name].slice(rows), firstMoments[name].slice(rows), secondMoments[name].slice(rows),
      gradient: gradients[name].slice(rows), step: update)
  }

  /// Takes a checkpoint's place in the schedule after its tensors were read into `parameters` and the moments.
  func resume(at step: Int) {
    self.step = step
    policy.update(from: parameters, names: trainable)
  }

  /// The gradient of the objective on a batch, for tests.
  /// - Parameter targetTokens: the loss's divisor, where the batch is a part of a larger one.
  package func gradient(_ batch: [TrainingExample], targetTokens: Int? = nil) -> (
    loss: Double, gradients: Parameters
  ) {
    let count = targetTokens ?? batch.reduce(0) { $0 + $1.output.count }
    var totals = LossTotals()
    sumGradients(of: batch, targetTokens: count, totals: &totals)
    let sum = totals.languageModel + objective.kl * totals.kl - objective.entropy * totals.entropy
    return (sum / Double(count), gradients)
  }

  /// Bytes of intermediate results that are held.
  package var workspaceBytes: Int { policy.workspace.byteCount }

  private struct LossTotals {
    var languageModel = 0.0
    var kl = 0.0
    var entropy = 0.0
    mutating func add(_ rows: LossRows) {
      for value in rows.languageModel { languageModel += Double(value) }
      for value in rows.kl { kl += Double(value) }
      for value in rows.entropy { entropy += Double(value) }
    }
  }

  /// Whole examples, in order, up to the token budget.
  private func microBatches(_ batch: some Sequence<TrainingExample>) -> [[TrainingExample]] {
    var result: [[TrainingExample]] = []
    var tokens = 0
    for example in batch {
      let length = example.inputs(conditioned: true).count
      if result.isEmpty || tokens + length > tokenBudget {
        result.append([])
        tokens = 0
      }
      result[result.count - 1].append(example)
      tokens += length
    }
    return result
  }

  /// Leaves the batch's gradients in `gradients`.
  private func sumGradients(of batch: [TrainingExample], targetTokens: Int, totals: inout LossTotals) {
    for leaf in leaves(of: batch, count: gradientLeaves) {
      gradients = tree.leaf()
      addGradients(of: leaf, targetTokens: targetTokens, totals: &totals)
      tree.add(gradients)
    }
    gradients = tree.total()
  }

  private func addGradients(
    of batch: ArraySlice<TrainingExample>, targetTokens: Int, totals: inout LossTotals
  ) {
    for microBatch in microBatches(batch) {
      addGradients(microBatch, scale: 1 / Float(targetTokens), totals: &totals)
    }
    for (tokens, rows) in embeddingGradients {
      backend.scatterAdd(rows, tokens, into: gradients[layout.tokenEmbedding])
    }
    embeddingGradients = []
  }

  private func addGradients(_ batch: [TrainingExample], scale: Float, totals: inout LossTotals) {
    let configuration = policy.configuration
    let c = configuration.hiddenSize
    let sequences = PackedSequences(batch.map { $0.inputs(conditioned: true) })
    let workspace = policy.workspace
    let activations = Activations(
      sequences, configuration, mode: policy.mode, lowestBlock: lowestBlock,
      recomputes: activationPolicy.recomputes(tokens: sequences.tokens.count), workspace)
    let x = policy.hidden(tokens: sequences.tokens, view: activations.view, activations: activations)
    let targets = targetRows(batch, sequences, conditioned: true)
    let rows = policy.rows(x, at: targets.rows, named: "loss.rows")
    let statistics = policy.finalNormStatistics(rows: rows.rows)
    let normed = policy.normalized(rows, statistics: statistics)
    let referenceNormed = reference.map { referenceRows(batch, $0) }

    let dNormed = workspace.tensor("loss.dnormed", rows.rows, c)
    for chunk in chunks(targets.outputs) {
      let labels = Array(targets.labels[chunk.rows])
      let logits = policy.headLogits(normed.slice(chunk.rows))
      var referenceLogits: Tensor?
      if let reference, let referenceNormed {
        referenceLogits = reference.headLogits(referenceNormed.slice(chunk.rows))
      }
      totals.add(
        backend.conditionalLoss(
          logits, reference: referenceLogits, labels: labels, objective: objective,
          klColumns: klColumns, scale: scale))
      policy.backwardHead(
        logits, normed: normed.slice(chunk.rows), pieces: chunk.pieces, into: dNormed.slice(chunk.rows),
        gradients: gradients)
    }
    let dRows = workspace.tensor("loss.drows", rows.rows, c)
    dRows.fill(0)
    policy.backwardNormalized(
      rows, statistics: statistics, dNormed: dNormed, addTo: dRows, gradients: gradients)
    let dx = workspace.tensor("dx", sequences.tokens.count, c)
    dx.fill(0)
    backend.scatterAdd(dRows, targets.rows, into: dx)
    policy.backward(
      sequences, activations: activations, dx: dx, gradients: gradients, lowestBlock: lowestBlock)
    if gradients.contains(layout.tokenEmbedding) {
      // The workspace is used again by the next micro-batch.
      let kept = Tensor(dx.rows, dx.columns)
      backend.store(dx, into: kept)
      embeddingGradients.append((sequences.tokens, kept))
    }
  }

  private func referenceRows(_ batch: [TrainingExample], _ reference: Decoder) -> Tensor {
    let sequences = PackedSequences(batch.map { $0.inputs(conditioned: referenceConditioned) })
    let (_, view) = Activations.contiguousView(
      sequences, reference.configuration, mode: reference.mode, reference.workspace)
    let targets = targetRows(batch, sequences, conditioned: referenceConditioned)
    return reference.normalized(
      reference.hidden(
        tokens: sequences.tokens, view: view, rows: targets.rows))
  }

  private struct Targets {
    /// Rows of the packed tokens that predict.
    var rows: [Int32] = []
    var labels: [Int32] = []
    /// For each example, its range among `rows`.
    var outputs: [Range<Int>] = []
  }

  private func targetRows(
    _ batch: [TrainingExample], _ sequences: PackedSequences, conditioned: Bool
  ) -> Targets {
    var targets = Targets()
    for (example, range) in zip(batch, sequences.ranges) {
      let first = targets.rows.count
      targets.rows += example.targetRows(conditioned: conditioned).map { Int32(range.lowerBound + $0) }
      targets.labels += example.output
      targets.outputs.append(first..<targets.rows.count)
    }
    return targets
  }

  /// Rows whose logits exist together.
  private struct Chunk {
    let rows: Range<Int>
    /// The examples' parts, counted from the chunk's first row; cut only at multiples of a reduction block.
    let pieces: [Range<Int>]
  }

  /// Cuts target rows into chunks at block boundaries of each example, so that the sums over rows do not
  /// depend on the cut.
  private func chunks(_ outputs: [Range<Int>]) -> [Chunk] {
    var chunks: [Chunk] = []
    var first = 0
    var pieces: [Range<Int>] = []
    var end = 0
    func close() {
      if end > first { chunks.append(Chunk(rows: first..<end, pieces: pieces)) }
      pieces = []
      first = end
    }
    for output in outputs {
      for start in stride(from: output.lowerBound, to: output.upperBound, by: ReductionBlocks.length) {
        let stop = min(start + ReductionBlocks.length, output.upperBound)
        if stop - first > Self.logitRows { close() }
        pieces.append(start - first..<stop - first)
        end = stop
      }
    }
    close()
    return chunks
  }
}
