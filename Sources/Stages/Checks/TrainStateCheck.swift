// `train`, before it runs: what goes on from an earlier training, and where the schedule ends.

import Experiments
import JSON

extension TrainStage {
  static func checkState(_ stage: StageCheck, _ findings: inout StageFindings) {
    let (options, before) = (stage.options, stage.artifact("state")?.facts)
    let taken = stage.isBound("state") ? before?[Fact.trainedSteps]?.intValue : 0
    let total = options[schedule]
    if let total, let taken, let steps = options[steps], taken <= total, taken + steps > total {
      findings.error(
        .conflictingOptions,
        "`schedule.total_steps` is \(total), of which earlier trainings take \(taken) and this one \(steps)",
        at: .option("schedule.total_steps"), label: "ends before the training does",
        help: "write the steps of all trainings together, at least \(taken + steps)")
    }
    if let total, let warmUp = options[warmUpSteps], warmUp > total {
      findings.error(
        .conflictingOptions,
        "the warm-up of \(warmUp) steps is longer than the schedule of \(total), so that `lr` is never reached",
        at: .option("warmup_steps"), label: "more than `total_steps`", help: "write at most \(total)")
    }
    checkMoments(stage, before, &findings)
    guard options[state] != .none else { return }
    if let taken, let steps = options[steps] {
      findings.declare(Fact.trainedSteps, .int(Int64(taken + steps)), of: statePort.name)
    }
    let moments = options[state] == .full ? chosenOptimizer(options).optimizer.moments : []
    findings.declare(Fact.moments, .array(moments.map { .string($0) }), of: statePort.name)
    findings.declare(Fact.trainedEmbeddings, .bool(options[trainEmbeddings]), of: statePort.name)
  }

  /// Against those of the training before.
  private static func checkMoments(
    _ stage: StageCheck, _ before: JSON?, _ findings: inout StageFindings
  ) {
    guard let moments = before?[Fact.moments]?.arrayValue?.compactMap(\.stringValue), !moments.isEmpty else {
      return
    }
    let chosen = chosenOptimizer(stage.options)
    let help = "keep it, or write `state: light` in the training before"
    if moments != chosen.optimizer.moments {
      findings.error(
        .conflictingOptions,
        "the state at `state` holds the moments of another optimizer than `\(chosen.kind)`",
        at: .option("optimizer"), label: "not that of the training before", help: help)
    }
    if let trained = before?[Fact.trainedEmbeddings]?.boolValue, trained != stage.options[trainEmbeddings] {
      findings.error(
        .conflictingOptions,
        "`train_embeddings` is \(!trained), but the state at `state` is of a training with \(trained)",
        at: .option("train_embeddings"), label: "not that of the training before", help: help)
    }
  }
}
