// The steps of a training, with progress, held-out losses, kept models, checkpoints and a clean stop.

import Experiments
import JSON
import Models

/// Runs a trainer over a plan, from its newest checkpoint on.
struct TrainingRun {
  let trainer: Trainer
  let examples: [TrainingExample]
  var plan: BatchPlan
  let stepCount: Int
  let context: StageContext
  var validation: Validation?
  let kept: KeptModels
  private let keptSteps: Set<Int>
  private let keepsBest: Bool
  private var tokens = 0

  init(
    _ trainer: Trainer, _ examples: [TrainingExample], _ plan: BatchPlan, stepCount: Int,
    validation: Validation?, kept: KeptModels, _ context: StageContext
  ) {
    self.trainer = trainer
    self.examples = examples
    self.plan = plan
    self.stepCount = stepCount
    self.validation = validation
    self.kept = kept
    self.context = context
    keptSteps = Set(
      TrainStage.keptSteps(
        every: context.options[TrainStage.keepEvery], of: context.options[TrainStage.steps]))
    keepsBest = context.options[TrainStage.keepBest]
  }

  mutating func run() throws {
    try restore()
    var saved = ContinuousClock.now
    let started = ContinuousClock.now
    while trainer.step < stepCount {
      let batch = plan.batch(trainer.step).map { examples[$0] }
      let step = try trainer.train(batch)
      tokens += batch.reduce(0) { $0 + $1.tokenCount(conditioned: true) }
      try measureAndKeep()
      context.progress(
        trainer.step, of: stepCount, unit: "steps",
        message: "loss \(rounded(step.loss))"
          + (validation?.lastLoss.map { " · validation \(rounded($0))" } ?? "")
          + " · \(Int(rate(tokens, since: started))) tokens/s", values: values(of: step))
      do {
        try context.checkCancellation()
      } catch {
        try trainer.saveCheckpoint(in: context.checkpointDirectory, notes: notes)
        throw error
      }
      if trainer.step < stepCount,
        (ContinuousClock.now - saved) / .seconds(1) >= context.checkpointSeconds
      {
        try trainer.beginCheckpoint(in: context.checkpointDirectory, notes: notes)
        saved = .now
      }
    }
    context.measure("tokens", Double(tokens))
    context.measure("tokens_per_second", rate(tokens, since: started))
  }

  /// Under the names that the metrics have. The learning rate is known beforehand.
  private func values(of step: TrainingStep) -> [(name: String, value: Double)] {
    [(TrainingSeries.common[0], step.loss)] + (validation?.lastLoss.map { [("validation_loss", $0)] } ?? [])
      + [(TrainingSeries.common[1], step.gradientNorm)]
  }

  private var notes: JSON { validation?.json ?? .null }

  private mutating func restore() throws {
    var validation = validation
    let isRestored = try trainer.restoreCheckpoint(
      from: context.checkpointDirectory, log: context.log,
      takeNotes: { validation?.restore($0) ?? $0.isNull })
    guard isRestored else { return }
    self.validation = validation
    context.log("continues at step \(trainer.step + 1) of \(stepCount)")
  }

  /// After a step, and before any checkpoint of it.
  private mutating func measureAndKeep() throws {
    let step = trainer.step
    if var measured = validation, measured.isDue(after: step, of: stepCount) {
      let former = measured.bestStep
      let isBest = try measured.measure(trainer)
      validation = measured
      // The last step's model is there anyway.
      if isBest, keepsBest, step < stepCount {
        try trainer.checkParameters()
        try kept.write(Self.bestName(step))
        if let former { try kept.remove(Self.bestName(former)) }
      }
    }
    if keptSteps.contains(step) {
      try trainer.checkParameters()
      try kept.write(TrainStage.keptName(step))
    }
  }

  /// Writes the model that the stage gives, and those that were kept.
  func writeModels() throws {
    let output = context.output("model", .model)
    if keepsBest, let best = validation?.bestStep, best < stepCount {
      context.log(
        "the loss on `validation` was lowest after step \(best) of \(stepCount), whose model is given")
      try kept.copy(Self.bestName(best), to: output)
    } else {
      try kept.writePolicy(output)
    }
    for step in keptSteps.sorted() {
      let name = TrainStage.keptName(step)
      try kept.copy(name, to: context.output(name, .model))
    }
  }

  /// In the folder of kept models.
  private static func bestName(_ step: Int) -> String { "best_\(step)" }

  private func rate(_ tokens: Int, since start: ContinuousClock.Instant) -> Double {
    Double(tokens) / max((ContinuousClock.now - start) / .seconds(1), 1e-3)
  }
}

/// A number for the live view.
private func rounded(_ x: Double) -> String {
  guard abs(x) < 1e12 else { return "\(x)" }
  let thousandths = Int((abs(x) * 1000).rounded())
  let fraction = String(thousandths % 1000)
  return (x < 0 ? "-" : "") + "\(thousandths / 1000)." + String(repeating: "0", count: 3 - fraction.count)
    + fraction
}
