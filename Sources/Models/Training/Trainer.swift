// The trainer: one optimizer step at a time over fp32 masters, whatever the objective.

import System

/// Trains a policy. The bits of the result depend on the parameters, the examples, their order and the options; not on
/// `tokenBudget`, memory, threads or interruptions.
package final class Trainer {
  package let parameters: Parameters
  package let trainable: [String]
  package private(set) var step = 0
  /// Trainings that this one goes on from.
  private var before = TrainingProgress()
  /// Steps of the schedule before the first of this training.
  private var scheduleStart = 0
  /// Of all steps so far.
  package private(set) var series: TrainingSeries
  /// In the order of the optimizer's names.
  let moments: [Parameters]
  private let policy: Decoder
  private(set) var objective: any Objective
  /// Of an adaptive objective, as the next step uses them.
  private(set) var coefficients: [Double] = []
  private let batchGradient: BatchGradient
  let optimizer: any Optimizer
  private let undecayed: Set<String>
  private let schedule: LearningRateSchedule
  /// By tensor.
  private let updates: [String: [UpdatedRows]]
  private let maximumGradientNorm: Double?
  private let backend: any Backend
  /// Being written; it reads `parameters` and the moments.
  var checkpoint: BackgroundWork?

  /// - Parameters:
  ///   - parameters: fp32 masters, changed in place.
  ///   - trainable: names of the tensors that change.
  ///   - reference: needed when the objective uses one; its vocabulary may lack the policy's last tokens.
  ///   - undecayed: names of tensors whose weights do not decay.
  ///   - groups: parameters that learn at another rate than the rest.
  ///   - gradientLeaves: parts of a batch whose gradients are summed apart, then in a tree; part of what is computed.
  ///   - tokenBudget: tokens in one forward and backward pass; changes no result.
  ///   - memory: bytes for what a forward pass keeps for its backward pass; changes no result.
  package init(
    _ configuration: DecoderConfiguration, parameters: Parameters, trainable: [String],
    objective: any Objective, reference: ReferenceModel? = nil, optimizer: any Optimizer,
    schedule: LearningRateSchedule, undecayed: Set<String> = [], groups: [ParameterGroup] = [],
    maximumGradientNorm: Double?,
    gradientLeaves: Int = 1, mode: NumericMode, backend: any Backend, tokenBudget: Int = 1024,
    memory: Int = 512 << 20
  ) {
    precondition(mode.hasGradients, "\(mode.rawValue) has no gradients")
    self.parameters = parameters
    self.trainable = trainable
    self.objective = objective
    self.optimizer = optimizer
    self.undecayed = undecayed
    self.schedule = schedule
    self.maximumGradientNorm = maximumGradientNorm
    self.backend = backend
    series = TrainingSeries(of: objective)
    coefficients = (objective as? any AdaptiveObjective)?.controllers.map(\.initial) ?? []
    updates = Dictionary(grouping: UpdatedRows.all(of: trainable, in: parameters, groups), by: \.name)
    moments = optimizer.moments.map { _ in Parameters(zerosLike: parameters, names: trainable) }
    let lowestBlock = configuration.layout.lowestBlock(training: trainable)
    policy = Decoder(
      configuration, parameters: parameters, mode: mode, backend: backend, lowestBlock: lowestBlock)
    batchGradient = BatchGradient(
      policy, objective: objective, reference: reference, leaves: gradientLeaves, lowestBlock: lowestBlock,
      activationPolicy: ActivationPolicy(
        configuration, mode: mode, lowestBlock: lowestBlock, memory: memory), tokenBudget: tokenBudget
    ) { Parameters(zerosLike: parameters, names: trainable) }
  }

  /// One step on a batch.
  /// - Throws: `TrainingDiverged`, or what the checkpoint that was being written failed with; the parameters are then as
  ///   before the step.
  package func train(_ batch: [TrainingExample]) throws -> TrainingStep {
    let targetCount = targetCount(of: batch)
    let (gradients, sums) = batchGradient.sum(over: batch, targetCount: targetCount)
    try finishCheckpoint()
    let loss = objective.total(sums) / Double(targetCount)
    guard loss.isFinite else { throw TrainingDiverged(step: step + 1, what: .loss) }
    var squares = 0.0
    for name in trainable { squares += backend.sumOfSquares(gradients[name]) }
    let norm = squares.squareRoot()
    guard norm.isFinite else { throw TrainingDiverged(step: step + 1, what: .gradientNorm) }
    let rate = schedule.rate(at: scheduleStart + step)
    update(gradients, scale: maximumGradientNorm.map { norm > $0 ? $0 / (norm + 1e-6) : 1 } ?? 1, rate: rate)
    step += 1
    let report = TrainingStep(
      step: step, loss: loss, terms: sums.map { $0 / Double(targetCount) }, gradientNorm: norm,
      learningRate: rate, coefficients: coefficients, targetCount: targetCount)
    series.append(report)
    adapt(to: sums, examples: batch.count)
    return report
  }

  /// - Parameter sums: of the terms, over the batch.
  private func adapt(to sums: [Double], examples: Int) {
    guard let adaptive = objective as? any AdaptiveObjective else { return }
    setCoefficients(
      zip(adaptive.controllers, coefficients).map { controller, value in
        controller.next(
          after: value, current: sums[controller.term] / Double(examples), examples: examples)
      })
  }

  /// - Parameter coefficients: as many as the objective has controllers.
  func setCoefficients(_ coefficients: [Double]) {
    guard let adaptive = objective as? any AdaptiveObjective, !coefficients.isEmpty else { return }
    self.coefficients = coefficients
    objective = adaptive.with(coefficients: coefficients)
    batchGradient.objective = objective
  }

  /// Tensor by tensor: one that was changed is packed again while a cache has it.
  /// - Parameter scale: multiplies gradients.
  private func update(_ gradients: Parameters, scale: Double, rate: Double) {
    for name in trainable {
      for part in updates[name] ?? [] {
        optimizer.update(
          parameters[name].slice(part.rows), moments: moments.map { $0[name].slice(part.rows) },
          gradient: gradients[name].slice(part.rows),
          by: Update(
            step: before.momentSteps + step + 1, learningRate: rate * part.learningRateFactor,
            gradientScale: scale, decays: !undecayed.contains(name)), on: backend)
      }
      policy.update(from: parameters, names: [name])
    }
  }

  /// Whether what the last step left can be stored: the loss of a next step would show it, and there is none. One pass.
  /// - Throws: `TrainingDiverged`.
  package func checkParameters() throws {
    if let (name, count) = parameters.firstNonFinite() {
      throw TrainingDiverged(step: step, what: .tensor(name: name, count: count))
    }
  }

  /// How far this training has come, with those that it goes on from.
  package var progress: TrainingProgress {
    let controllers = (objective as? any AdaptiveObjective)?.controllers ?? []
    return TrainingProgress(
      steps: before.steps + step, momentSteps: before.momentSteps + step,
      coefficients: Dictionary(
        zip(controllers.map(\.name), coefficients), uniquingKeysWith: { first, _ in first }))
  }

  /// Coefficients that the progress does not name begin as the objective has them.
  func begin(after progress: TrainingProgress, inSchedule: Bool) {
    before = progress
    scheduleStart = inSchedule ? progress.steps : 0
    let controllers = (objective as? any AdaptiveObjective)?.controllers ?? []
    setCoefficients(controllers.map { progress.coefficients[$0.name] ?? $0.initial })
  }

  /// Takes a checkpoint's place in the schedule after its tensors were read into `parameters` and the moments.
  func resume(at step: Int, _ series: TrainingSeries, _ coefficients: [Double]) {
    self.step = step
    self.series = series
    setCoefficients(coefficients)
    policy.update(from: parameters, names: trainable)
  }

  /// The loss and its gradient on a batch, without a step.
  /// - Parameter targetCount: the loss's divisor, where the batch is a part of a larger one.
  package func gradient(_ batch: [TrainingExample], targetCount: Int? = nil) -> (
    loss: Double, gradients: Parameters
  ) {
    let count = targetCount ?? self.targetCount(of: batch)
    let (gradients, sums) = batchGradient.sum(over: batch, targetCount: count)
    return (objective.total(sums) / Double(count), gradients)
  }

  /// The loss on examples that are not trained on, and the means of its terms, with the coefficients that the next step uses; changes nothing.
  /// - Throws: `TrainingDiverged` when it is not a number.
  package func evaluate(_ examples: [TrainingExample]) throws -> (loss: Double, terms: [Double]) {
    let count = Double(targetCount(of: examples))
    let sums = batchGradient.terms(over: examples)
    let loss = objective.total(sums) / count
    guard loss.isFinite else { throw TrainingDiverged(step: step, what: .validationLoss) }
    return (loss, sums.map { $0 / count })
  }

  private func targetCount(of batch: [TrainingExample]) -> Int {
    batch.reduce(0) { $0 + objective.targetCount(of: $1) }
  }

  /// Bytes of intermediate results that are held.
  package var workspaceBytes: Int { policy.workspace.byteCount }
}
