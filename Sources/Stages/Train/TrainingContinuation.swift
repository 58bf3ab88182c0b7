// What a training takes from the one before it, and gives to the next.

import Experiments
import JSON
import Models

extension TrainStage {
  /// - Throws: `InputError` when what is bound to `state` is none.
  func stateBefore(_ context: StageContext) throws -> TrainingState? {
    guard let artifact = context.inputs["state"] else { return nil }
    return try asInput { try TrainingState(reading: artifact.path) }
  }

  /// In the data's own order where the training before had other data, else on from where it ended.
  func plan(_ examples: [TrainingExample], after state: TrainingState?, _ context: StageContext)
    -> BatchPlan
  {
    let (batchSize, dropLast) = (context.options[Self.batchSize], context.options[Self.dropLast])
    let place = state.flatMap { DataPlace($0.place) }
    let isSame =
      place.map { $0.data == DataPlace.digest(of: examples, batchSize: batchSize, dropLast: dropLast) }
      ?? false
    let plan = BatchPlan(
      ids: examples.map(\.id), batchSize: batchSize, dropLast: dropLast,
      seed: isSame ? place?.seed ?? context.seed : context.seed, firstStep: isSame ? place?.step ?? 0 : 0)
    if state != nil, plan.stepsPerEpoch > 0 {
      context.log(
        isSame
          ? "goes on after step \(plan.firstStep % plan.stepsPerEpoch) of \(plan.stepsPerEpoch) in epoch \(plan.firstStep / plan.stepsPerEpoch + 1) of the data"
          : "the data, or their batches, are not those of the training before: their first epoch begins")
    }
    return plan
  }

  /// - Parameters:
  ///   - steps: of this training.
  /// - Throws: `InputError` when it would end after the schedule.
  func schedule(steps: Int, after state: TrainingState?, _ options: StageOptions) throws
    -> LearningRateSchedule
  {
    let taken = state?.progress.steps ?? 0
    let total = options[Self.schedule]
    if let total, taken + steps > total {
      throw InputError(
        "`schedule.total_steps` is \(total), of which \(taken) were taken by earlier trainings, and this one would take \(steps); write at least \(taken + steps), or fewer steps"
      )
    }
    return LearningRateSchedule(
      peak: options[Self.lr], steps: total ?? steps, warmUpLength: Self.warmUpLength(options),
      warmUp: options[Self.warmUp], decay: options[Self.decay], floor: options[Self.decayFloor])
  }

  /// - Throws: `InputError` when the state is that of other tensors, or of another optimizer.
  func begin(_ trainer: Trainer, after state: TrainingState?, _ options: StageOptions) throws {
    guard let state else { return }
    try asInput { try trainer.begin(after: state, inSchedule: options[Self.schedule] != nil) }
  }

  func writeState(
    of trainer: Trainer, _ plan: BatchPlan, _ examples: [TrainingExample], _ context: StageContext
  )
    throws
  {
    let options = context.options
    guard options[Self.state] != .none else { return }
    let place = DataPlace(
      data: DataPlace.digest(
        of: examples, batchSize: options[Self.batchSize], dropLast: options[Self.dropLast]),
      seed: plan.seed, step: plan.firstStep + trainer.step)
    try trainer.writeState(
      to: context.output(Self.statePort.name, .file), withMoments: options[Self.state] == .full,
      place: place.json)
  }

  private func asInput<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as FormatError {
      throw InputError("the input `state`: \(error)")
    }
  }
}
