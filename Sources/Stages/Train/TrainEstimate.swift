// What `train` expects to need, from its rows and its models.

import Experiments

extension TrainStage {
  static let estimate: StageEstimate.Function = { input in
    let (model, rows) = (input.input("model"), input.input("rows"))
    // Batches are cut out of samples, of which a row has at least one.
    let samples = rows.items ?? rows.rows
    let epochs =
      input.options[TrainStage.steps].map { steps in
        samples.map { Double(steps) * Double(input.options[TrainStage.batchSize]) / Double(max(1, $0)) }
      } ?? Double(input.options[TrainStage.epochs])
    let hasReference =
      input.options[TrainStage.objective].objective.reference != nil && input.input("reference").items != nil
    // fp32 masters.
    let trained = ArtifactSize(
      items: model.items, bytes: model.items.flatMap { Estimates.integer(Double($0) * 4) },
      facts: model.facts)
    let kept = TrainStage.keptSteps(
      every: input.options[TrainStage.keepEvery], of: input.options[TrainStage.steps])
    var outputs: [String: ArtifactSize] = [
      "model": trained,
      "metrics": ArtifactSize(bytes: 1 << 16),
      // Two fp32 moments.
      "state": ArtifactSize(
        bytes: input.options[TrainStage.state] == .full
          ? model.items.flatMap { Estimates.integer(Double($0) * 8) } : 1 << 12),
    ]
    for step in kept { outputs[TrainStage.keptName(step)] = trained }
    // Of held-out rows the loss alone, after every so many steps and at the end.
    let validation = Estimates.seconds(
      tokens: Estimates.tokens(input.input("validation")), parameters: model.items, passes: 2,
      rate: Estimates.training, input.threads)
    let steps =
      input.options[TrainStage.steps]
      ?? samples.map {
        ($0 + input.options[TrainStage.batchSize] - 1) / input.options[TrainStage.batchSize]
          * input.options[TrainStage.epochs]
      }
    let looks = input.options[TrainStage.evaluateEvery].flatMap { every in steps.map { $0 / every + 1 } } ?? 0
    return StageEstimate(
      outputs: outputs,
      memoryBytes: ModelMemory(model, input.numericMode).map {
        $0.training(share: input.options[TrainStage.unfrozenRatio])
          + (hasReference ? ModelMemory(input.input("reference"), input.numericMode)?.reading ?? 0 : 0)
      },
      seconds: Estimates.seconds(
        tokens: Estimates.tokens(rows).flatMap { tokens in epochs.map { tokens * $0 } },
        parameters: model.items,
        passes: hasReference ? 8 : 6,
        rate: Estimates.training, input.threads
      ).map { $0 + Double(looks) * (validation ?? 0) })
  }
}
