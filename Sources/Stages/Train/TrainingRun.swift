// The steps of a training, with progress, checkpoints and a clean stop.

import Models
import Runner

/// Runs a trainer over a plan, from its newest checkpoint on.
struct TrainingRun {
  let trainer: Trainer
  let examples: [TrainingExample]
  var plan: BatchPlan
  let stepCount: Int
  let context: StageContext

  mutating func run() throws {
    if try trainer.restoreCheckpoint(from: context.checkpointDirectory, log: context.log) {
      context.log("continues at step \(trainer.step + 1) of \(stepCount)")
    }
    var saved = ContinuousClock.now
    let started = ContinuousClock.now
    var tokens = 0
    while trainer.step < stepCount {
      let batch = plan.batch(trainer.step).map { examples[$0] }
      let step = try trainer.train(batch)
      tokens += batch.reduce(0) { $0 + $1.tokenCount(conditioned: true) }
      context.progress(
        trainer.step, of: stepCount, unit: "steps",
        message: "loss \(rounded(step.loss)) · \(Int(rate(tokens, since: started))) tokens/s")
      do {
        try context.checkCancellation()
      } catch {
        try trainer.saveCheckpoint(in: context.checkpointDirectory)
        throw error
      }
      if trainer.step < stepCount,
        (ContinuousClock.now - saved) / .seconds(1) >= context.checkpointSeconds
      {
        try trainer.beginCheckpoint(in: context.checkpointDirectory)
        saved = .now
      }
    }
    context.measure("tokens", Double(tokens))
    context.measure("tokens_per_second", rate(tokens, since: started))
  }

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
