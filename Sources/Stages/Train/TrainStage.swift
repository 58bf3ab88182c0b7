// `train`: the policy, trained on pooled rows conditioned on their class.

import Experiments
import JSON
import Models

package struct TrainStage: Stage {
  package init() {}

  package static let declaration = StageDeclaration(
    name: "train",
    summary: "Trains a policy on rows conditioned on their class.",
    version: 2,
    inputs: [
      InputPort("model", .model, summary: "the policy to start from"),
      InputPort("reference", .model, required: false, summary: "the model that the objective compares with"),
      InputPort("rows", .rows, columns: ["prompt", "generations"], summary: "rows to train on"),
      InputPort(
        "validation", .rows, required: false, columns: ["prompt", "generations"],
        summary: "rows that are not trained on, whose loss is measured; they are read as `rows` are"),
      InputPort(
        "state", .file, required: false,
        summary: "the output `state` of the training that this one goes on from"
      ),
    ],
    outputs: [
      OutputPort("model", .model, summary: "the trained policy, fp32"),
      OutputPort(
        "metrics", .metrics,
        summary: "series over the steps: `loss`, the objective's terms, `gradient_norm`, `lr`"
      ),
      statePort,
    ],
    options: options, isRandom: true, numerics: .ofModels(NumericMode.allCases.filter(\.hasGradients)),
    estimate: estimate)

  package static func declaration(for options: JSON) -> StageDeclaration {
    let declaration = declaration.giving(outputs(for: options))
    guard let chosen = objective.value(in: options) else { return declaration }
    var names = TrainingSeries.names(of: chosen.objective)
    if evaluateEvery.value(in: options) ?? nil != nil {
      names += Validation.names(of: chosen.objective) + [Validation.stepsName, Validation.bestName]
    }
    return declaration.giving(
      "metrics",
      names: names + ["steps", "samples"] + TrainingData.countNames(for: chosen, options))
  }

  /// Without `state` where it is not wanted, and with the models that are kept.
  private static func outputs(for options: JSON) -> [OutputPort] {
    let isStateGiven = (state.value(in: options) ?? .none) != .none
    let kept = keptSteps(
      every: keepEvery.value(in: options) ?? nil, of: steps.value(in: options) ?? nil)
    return declaration.outputs.filter { isStateGiven || $0.name != statePort.name }
      + kept.map { OutputPort(keptName($0), .model, summary: "the policy after step \($0), fp32") }
  }

  package func run(_ context: StageContext) throws {
    let options = context.options
    let backend = context.backend()
    let policy = try StartingPolicy(context, on: backend)
    if let notice = policy.configuration.dropoutNotice { context.log(notice) }
    let heldOut =
      context.inputs["validation"] == nil
      ? [] : try TrainingData(at: "validation", for: policy, context.reporting(on: "validation")).examples
    if !heldOut.isEmpty { context.log("\(heldOut.count) samples at `validation` are held out") }
    let data = try TrainingData(at: "rows", for: policy, context)
    let examples = data.examples
    try context.showInputs(data.inputCount, policy.tokenizer) { data.input($0) }
    try policy.checkpoint.requireFinite(policy.parameters)
    let chosen = options[Self.objective]
    let reference = try reference(for: chosen, policy, reading: examples + heldOut, context, on: backend)
    let state = try stateBefore(context)
    let plan = plan(examples, after: state, context)
    try check(plan, examples, context)
    let steps = options[Self.steps] ?? plan.stepsPerEpoch * options[Self.epochs]
    let trainer = try trainer(
      policy, chosen.objective, reference, schedule(steps: steps, after: state, options), context, on: backend
    )
    try begin(trainer, after: state, options)
    var run = TrainingRun(
      trainer, examples, plan, stepCount: steps,
      validation: options[Self.evaluateEvery].flatMap { interval in
        heldOut.isEmpty ? nil : Validation(heldOut, every: interval, of: chosen.objective)
      },
      kept: KeptModels(in: context.checkpointDirectory) {
        try policy.write(to: $0, exemplars: data.exemplars)
      }, context)
    try run.run()
    try trainer.checkParameters()

    try run.writeModels()
    try writeState(of: trainer, plan, examples, context)
    var metrics = trainer.series.json.objectValue ?? JSONObject()
    if let loss = metrics["loss"]?.arrayValue?.last?.doubleValue { context.measure("loss", loss) }
    for (name, value) in run.validation?.metrics.members ?? [] { metrics[name] = value }
    metrics["steps"] = .int(Int64(trainer.series.count))
    metrics["samples"] = .int(Int64(examples.count))
    for (name, count) in data.counts { metrics[name] = .int(Int64(count)) }
    try writeMetrics(.object(metrics), to: context.output("metrics", .metrics))
  }

  /// - Throws: `InputError` when there is not one step in an epoch.
  private func check(_ plan: BatchPlan, _ examples: [TrainingExample], _ context: StageContext) throws {
    let (batchSize, dropsLast) = (context.options[Self.batchSize], context.options[Self.dropLast])
    guard plan.stepsPerEpoch > 0 else {
      throw InputError(
        "\(examples.count) samples make no full batch of \(batchSize), and `drop_last` is set")
    }
    if dropsLast { context.leaveOut(examples.count % batchSize, "samples of each epoch's last batch") }
  }

  private func trainer(
    _ policy: StartingPolicy, _ objective: any Objective, _ reference: ReferenceModel?,
    _ schedule: LearningRateSchedule, _ context: StageContext, on backend: any Backend
  ) throws -> Trainer {
    let (options, configuration) = (context.options, policy.configuration)
    let trainable = configuration.layout.trainableNames(
      blocks: Int((options[Self.unfrozenRatio] * Double(configuration.layerCount)).rounded(.down)),
      embeddings: options[Self.trainEmbeddings])
    let chosen = Self.chosenOptimizer(options)
    return Trainer(
      configuration, parameters: policy.parameters, trainable: trainable, objective: objective,
      reference: reference, optimizer: chosen.optimizer,
      schedule: schedule,
      undecayed: try chosen.undecayed(of: trainable), groups: try policy.groups(options),
      maximumGradientNorm: options[Self.maxGradientNorm], gradientLeaves: options[Self.gradientLeaves],
      mode: context.mode, backend: backend, tokenBudget: context.engineBatch(1024),
      memory: context.engineMemory(512 << 20))
  }
}
