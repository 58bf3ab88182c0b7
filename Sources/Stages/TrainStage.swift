// `train`: the policy, trained on pooled rows conditioned on their class.

import JSON
import Models
import Runner

package struct TrainStage: Stage {
  package init() {}

  private static let opening = OptionField(
    "opening", .string, default: "",
    summary:
      "text before the class, such as the token that begins a document; many models nearly ignore the first token"
  )

  package static let declaration = StageDeclaration(
    name: "train",
    summary: "Trains a policy on rows conditioned on their class.",
    version: 2,
    inputs: [
      InputPort("model", .model, summary: "the policy to start from"),
      InputPort("reference", .model, required: false, summary: "the model that the KL term compares with"),
      InputPort("rows", .rows, columns: ["prompt", "generations"], summary: "rows to train on"),
    ],
    outputs: [
      OutputPort("model", .model, summary: "the trained policy, fp32"),
      OutputPort(
        "metrics", .metrics,
        names: TrainingSeries.names(of: ConditionalObjective(kl: 0, entropy: 0)) + ["steps", "samples"],
        summary: "series over the steps: `loss`, `lm`, `kl`, `entropy`, `gradient_norm`, `lr`"),
    ],
    options: [
      OptionField(
        "objective",
        .variant([
          OptionVariant(
            "conditional",
            [
              OptionField(
                "kl", .number(0...1000, single: true), default: 0.0,
                aliases: ["kl_coef", "kl_coefficient", "init_kl_coef", "kl_weight"],
                summary: "weight of the KL term"),
              OptionField(
                "entropy", .number(0...1000, single: true), default: 0.0,
                aliases: ["entropy_coef", "entropy_coefficient"],
                summary: "weight of the entropy bonus"),
              OptionField(
                "kl_direction", .choice(["reference_policy", "policy_reference"]),
                default: "reference_policy",
                summary: "KL(reference || policy), or KL(policy || reference)"),
              OptionField(
                "reference_conditioning", .choice(["strip", "keep"]), default: "strip",
                summary: "whether the reference reads the conditioning"),
            ],
            summary: "the mean over target tokens of lm + kl * KL - entropy * H")
        ]),
        default: [
          "kind": "conditional", "kl": 0.0, "entropy": 0.0, "kl_direction": "reference_policy",
          "reference_conditioning": "strip",
        ],
        summary: "what is minimised"),
      OptionField(
        "conditioning",
        .variant([
          OptionVariant(
            "tokens",
            [
              OptionField("classes", .integer(1...1000), default: 5, summary: "how many tokens"),
              opening,
              OptionField(
                "words", .optional(.list(.string, count: 1...1000)), default: nil,
                summary:
                  "one or more words for each class, best first: its token starts as the mean of their embeddings; with null it starts as noise with the statistics of the other embeddings"
              ),
            ],
            summary: "one added token a class, `_QUANTILE_TOKEN_k_`"),
          OptionVariant(
            "text",
            [
              OptionField(
                "prefixes", .list(.string, count: 1...1000), summary: "one prefix a class, best first"),
              opening,
            ], summary: "one text a class, put before the prompt as it is"),
          OptionVariant("none", [], summary: "no conditioning: the classes are ignored"),
        ]), default: ["kind": "tokens", "classes": 5, "opening": "", "words": nil],
        summary: "how a class is given to the model"),
      OptionField(
        "end", .choice(["finished", "terminated", "always", "never"]), default: "finished",
        summary:
          "which samples get the end token appended: `finished`, those that ended with an end token or a stop text; `terminated`, all but those that were cut and have no `.`, `?` or `!` at their end; `always`, all; `never`, none"
      ),
      OptionField(
        "max_new_tokens", .optional(.integer(1...1_000_000)), default: nil,
        summary:
          "with `end: terminated`: a sample of exactly this many tokens counts as cut; with null the column `finish` decides"
      ),
      OptionField(
        "vocabulary", .choice(["model", "tokenizer"]), default: "model",
        summary:
          "whether embedding rows without a token stay in the softmax, or are cut off before training, as resizing a model to its tokenizer does"
      ),
      OptionField(
        "lr", .number(0...10, exclusiveMinimum: true, single: true), aliases: ["learning_rate"],
        summary: "peak learning rate"),
      OptionField(
        "conditioning_lr", .optional(.number(0...10, exclusiveMinimum: true, single: true)), default: nil,
        summary:
          "peak learning rate of the conditioning tokens' embedding rows; null is `lr`"),
      OptionField(
        "warmup_ratio", .number(0...1), default: 0.05, aliases: ["warmup_steps", "num_warmup_steps"],
        summary:
          "share of the steps used for warm-up, rounded up to whole steps; a training of one step has none"),
      OptionField(
        "warmup", .choice(["linear", "logarithmic"]), default: "linear",
        summary: "`lr` times t / w, or log(t + 1) / log(w), at step t of w; the rate of step 0 is 0"),
      OptionField(
        "decay", .choice(["linear", "constant"]), default: "linear",
        aliases: ["lr_scheduler_type", "lr_scheduler", "scheduler"],
        summary: "shape of the decay after the warm-up"),
      OptionField(
        "epochs", .integer(1...10_000), default: 1, aliases: ["num_epochs", "num_train_epochs"],
        summary: "passes over the rows"),
      OptionField(
        "batch_size", .integer(1...100_000), default: 8,
        aliases: ["per_device_train_batch_size", "train_batch_size"], summary: "samples in a step"),
      OptionField(
        "drop_last", .bool, default: false, summary: "leave out an epoch's last batch when it is not full"),
      OptionField(
        "unfrozen_ratio", .number(0...1), default: 1.0,
        summary: "share of the blocks that train, counted from the last; the rest is frozen"),
      OptionField(
        "train_embeddings", .bool, default: true, summary: "whether token embeddings and head train"),
      OptionField(
        "max_gradient_norm", .optional(.number(0...1e9, exclusiveMinimum: true, single: true)), default: 1.0,
        aliases: ["max_grad_norm", "grad_clip", "gradient_clipping"],
        summary: "global norm to which gradients are clipped; null does not clip"),
      OptionField(
        "gradient_leaves", .integer(1...4096), default: 1,
        summary:
          "parts of a batch whose gradients are summed separately, then pairwise; processes that share a batch divide the parts among them"
      ),
      OptionField(
        "adam",
        .object([
          OptionField(
            "beta1", .number(0...0.999999, single: true), default: 0.9, aliases: ["adam_beta1"],
            summary: "decay of the first moment"),
          OptionField(
            "beta2", .number(0...0.999999, single: true), default: 0.999, aliases: ["adam_beta2"],
            summary: "decay of the second moment"),
          OptionField(
            "epsilon", .number(0...1, exclusiveMinimum: true, single: true), default: 1e-8,
            aliases: ["adam_epsilon", "eps"], summary: "added to the square root of the second moment"),
          OptionField(
            "weight_decay", .number(0...1, single: true), default: 0.0, summary: "decoupled weight decay"),
        ]), default: ["beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0], summary: "AdamW"),
    ],
    isRandom: true, numerics: .ofModels,
    numericModes: NumericMode.allCases.filter(\.hasGradients).map(\.rawValue), estimate: Estimates.train)

  package func run(_ context: StageContext) throws {
    let options = context.options
    let objective = options.object("objective")
    let checkpoint = try context.checkpoint("model")
    var tokenizer = try checkpoint.requireTokenizer()
    var configuration = checkpoint.configuration
    let backend = context.backend()
    var parameters = try Parameters(configuration, from: checkpoint.tensors, on: backend)
    if options.string("vocabulary") == "tokenizer" {
      parameters = parameters.cuttingVocabulary(&configuration, to: tokenizer.count)
    }
    let conditioning = try conditioning(options.object("conditioning"), checkpoint)
    var trained = try TrainedTokens(checkpoint)
    if let conditioning, conditioning.kind == .tokens {
      try addTokens(
        conditioning, words: options.object("conditioning").value("words"), to: &trained, &tokenizer,
        &configuration, &parameters, context)
    }
    let examples = try TrainingRows(
      tokenizer: tokenizer, conditioning: conditioning, endToken: checkpoint.endTokens.first,
      endRule: EndRule(options),
      contextLength: configuration.contextLength, table: context.input("rows").columns
    ).examples(
      try readRows(context.input("rows").path, requiring: ["prompt", "generations"]), context: context)

    let kl = objective.double("kl")
    try checkpoint.requireFinite(parameters)
    let keepsConditioning = objective.string("reference_conditioning") == "keep"
    var reference: ReferenceModel?
    if kl > 0 {
      guard context.inputs["reference"] != nil else {
        throw InputError("`objective.kl` is \(kl), which needs the input `reference`")
      }
      let source = try context.checkpoint("reference")
      try check(source, reads: examples, conditioned: keepsConditioning)
      reference = ReferenceModel(
        try context.decoder(source, on: backend),
        sharedColumns: min(
          trained.baseVocabulary(tokenizer, configuration.vocabularySize),
          try TrainedTokens(source).baseVocabulary(source.tokenizer, source.configuration.vocabularySize)))
    }
    let plan = BatchPlan(
      ids: examples.map(\.id), batchSize: options.int("batch_size"), epochs: options.int("epochs"),
      dropLast: options.bool("drop_last"), seed: context.seed)
    guard plan.stepCount > 0 else {
      throw InputError(
        "\(examples.count) samples make no full batch of \(options.int("batch_size")), and `drop_last` is set"
      )
    }
    if options.bool("drop_last") {
      context.leaveOut(
        examples.count % options.int("batch_size"), "samples of each epoch's last batch")
    }
    let adam = options.object("adam")
    let trainer = Trainer(
      configuration, parameters: parameters,
      trainable: configuration.layout.trainableNames(
        blocks: Int((options.double("unfrozen_ratio") * Double(configuration.layerCount)).rounded(.down)),
        embeddings: options.bool("train_embeddings")),
      objective: ConditionalObjective(
        kl: kl, entropy: objective.double("entropy"),
        klDirection: KLDirection(rawValue: objective.string("kl_direction")) ?? .referencePolicy,
        referenceConditioned: keepsConditioning),
      reference: reference,
      optimizer: AdamW(
        beta1: adam.double("beta1"), beta2: adam.double("beta2"), epsilon: adam.double("epsilon"),
        weightDecay: adam.double("weight_decay")),
      schedule: LearningRateSchedule(
        peak: options.double("lr"), steps: plan.stepCount, warmUpRatio: options.double("warmup_ratio"),
        warmUp: options.string("warmup") == "linear" ? .linear : .logarithmic,
        decay: options.string("decay") == "linear" ? .linear : .constant),
      groups: try groups(options, conditioning, tokenizer, configuration),
      maximumGradientNorm: options.optionalDouble("max_gradient_norm"),
      gradientLeaves: options.int("gradient_leaves"), mode: context.mode,
      backend: backend, tokenBudget: context.engineBatch(1024),
      memory: context.engineMemory(512 << 20))
    try train(trainer, examples, plan, context)
    try trainer.checkParameters()

    try writeModelDirectory(
      context.output("model", .model), configuration: configuration, tensors: parameters.outputs(),
      tokenizer: tokenizer, chatTemplate: checkpoint.chatTemplate,
      generationConfig: checkpoint.generationConfig,
      plumb: ["format": 1, "conditioning": conditioning?.json ?? .null, "added_tokens": trained.json])
    var metrics = trainer.series.json.objectValue ?? JSONObject()
    metrics["steps"] = .int(Int64(trainer.series.count))
    metrics["samples"] = .int(Int64(examples.count))
    try writeMetrics(.object(metrics), to: context.output("metrics", .metrics))
  }

  private func train(
    _ trainer: Trainer, _ examples: [TrainingExample], _ plan: BatchPlan, _ context: StageContext
  ) throws {
    if try trainer.restoreCheckpoint(from: context.checkpointDirectory, log: context.log) {
      context.log("continues at step \(trainer.step + 1) of \(plan.stepCount)")
    }
    var saved = ContinuousClock.now
    let started = ContinuousClock.now
    var tokens = 0
    while trainer.step < plan.stepCount {
      let batch = plan.batch(trainer.step).map { examples[$0] }
      let step = try trainer.train(batch)
      tokens += batch.reduce(0) { $0 + $1.tokenCount(conditioned: true) }
      let rate = Double(tokens) / max((ContinuousClock.now - started) / .seconds(1), 1e-3)
      context.progress(
        trainer.step, of: plan.stepCount, unit: "steps",
        message: "loss \(rounded(step.loss)) · \(Int(rate)) tokens/s")
      do {
        try context.checkCancellation()
      } catch {
        try trainer.saveCheckpoint(in: context.checkpointDirectory)
        throw error
      }
      if trainer.step < plan.stepCount,
        (ContinuousClock.now - saved) / .seconds(1) >= context.checkpointSeconds
      {
        try trainer.beginCheckpoint(in: context.checkpointDirectory)
        saved = .now
      }
    }
    let seconds = (ContinuousClock.now - started) / .seconds(1)
    context.measure("tokens", Double(tokens))
    context.measure("tokens_per_second", Double(tokens) / max(seconds, 1e-3))
  }

  /// Token ids are the policy's; a reference with a smaller vocabulary lacks the last of them, and may have a shorter context.
  private func check(_ reference: Checkpoint, reads examples: [TrainingExample], conditioned: Bool) throws {
    let configuration = reference.configuration
    for example in examples {
      guard conditioned || !example.unconditioned.isEmpty else {
        throw InputError(
          "sample `\(example.id)` has an empty prompt, so the reference has no text before its first token; `reference_conditioning: keep` gives it the conditioning"
        )
      }
      let tokens = example.tokens(conditioned: conditioned)
      if let missing = tokens.first(where: { Int($0) >= configuration.vocabularySize }) {
        throw InputError(
          "\(reference.path): the reference has \(configuration.vocabularySize) tokens, but sample `\(example.id)` has token \(missing)"
            + (conditioned
              ? "; `reference_conditioning: keep` needs a reference with the conditioning's tokens" : ""))
      }
      guard tokens.count <= configuration.contextLength else {
        throw InputError(
          "\(reference.path): sample `\(example.id)` has \(tokens.count) tokens, more than the reference's context of \(configuration.contextLength)"
        )
      }
    }
  }

  private func conditioning(_ options: StageOptions, _ checkpoint: Checkpoint) throws -> Conditioning? {
    switch options.string("kind") {
    case "tokens":
      return .quantileTokens(options.int("classes"), after: options.string("opening"))
    case "text":
      return Conditioning(
        kind: .text, prefixes: options.strings("prefixes"), opening: options.string("opening"))
    default: return nil
    }
  }

  /// The conditioning tokens' rows, when they have a learning rate of their own.
  private func groups(
    _ options: StageOptions, _ conditioning: Conditioning?, _ tokenizer: Tokenizer,
    _ configuration: DecoderConfiguration
  ) throws -> [ParameterGroup] {
    guard let rate = options.optionalDouble("conditioning_lr") else { return [] }
    guard let conditioning, conditioning.kind == .tokens, options.bool("train_embeddings") else {
      throw InputError("`conditioning_lr` is for conditioning of kind tokens, with `train_embeddings`")
    }
    let ids = try conditioning.classTokens(tokenizer).map { Int($0) }
    guard let first = ids.min(), ids.sorted() == Array(first..<configuration.vocabularySize) else {
      throw InputError(
        "`conditioning_lr` needs the conditioning's tokens to be the last of the vocabulary; they are \(ids)")
    }
    return [
      ParameterGroup(
        [.init(configuration.layout.tokenEmbedding, rows: first..<configuration.vocabularySize)],
        learningRateFactor: rate / options.double("lr"))
    ]
  }

  /// For each class the tokens whose mean embedding its token starts as; empty when it starts as noise.
  private func initialTokens(_ conditioning: Conditioning, _ words: JSON, _ tokenizer: Tokenizer) throws
    -> [(prefix: String, tokens: [Int32])]
  {
    guard let words = words.arrayValue?.compactMap(\.stringValue) else { return [] }
    guard words.count == conditioning.prefixes.count else {
      throw InputError(
        "`conditioning.words` has \(words.count) entries for \(conditioning.prefixes.count) classes; expected one for each"
      )
    }
    return try zip(conditioning.prefixes, words).map { prefix, text in
      let tokens = tokenizer.encode(text, parseSpecial: true)
      guard !tokens.isEmpty else { throw InputError("`conditioning.words` has an empty entry") }
      return (prefix, tokens)
    }
  }

  /// Adds the conditioning's tokens and their embedding rows, unless the policy has them from before.
  private func addTokens(
    _ conditioning: Conditioning, words: JSON, to trained: inout TrainedTokens, _ tokenizer: inout Tokenizer,
    _ configuration: inout DecoderConfiguration, _ parameters: inout Parameters, _ context: StageContext
  ) throws {
    let missing = conditioning.prefixes.filter { tokenizer.id(of: $0) == nil }
    guard !missing.isEmpty else { return }
    let initial = try initialTokens(conditioning, words, tokenizer)
    let rows = try trained.add(missing, to: &tokenizer, embeddingRows: configuration.vocabularySize)
    parameters = parameters.growingVocabulary(&configuration, to: rows, seed: context.seed)
    for (prefix, tokens) in initial where missing.contains(prefix) {
      guard let id = tokenizer.id(of: prefix) else { continue }
      parameters.setEmbedding(of: id, toMeanOf: tokens, in: configuration.layout)
    }
    context.log("added \(missing.count) tokens: \(missing.joined(separator: " "))")
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
