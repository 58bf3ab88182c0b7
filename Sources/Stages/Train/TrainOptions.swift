// The options of `train`; `conditioning` stands in ConditioningOption.swift.

import Experiments
import JSON
import Models

extension TrainStage {
  /// Whether rows of the embedding without a token stay.
  enum Vocabulary: String, CaseIterable { case model, tokenizer }

  static let objective = StageOption(
    "objective", .variant(objectives),
    default: [
      "kind": "conditional", "kl": 0.0, "entropy": 0.0, "kl_direction": "reference_policy",
      "reference_conditioning": "strip",
    ],
    original: [
      "kind": "conditional", "kl": 0.0, "entropy": 0.0, "kl_direction": "reference_policy",
      "reference_conditioning": "keep",
    ], summary: "what is minimised")
  static let end = StageOption(
    "end", .choice(EndRule.Name.self), default: "finished", original: "terminated",
    summary:
      "which samples get the end token appended: `finished`, those that ended with an end token or a stop text; `terminated`, all but those that were cut and have no `.`, `?` or `!` at their end; `always`, all; `never`, none"
  )
  static let maxNewTokens = StageOption(
    "max_new_tokens", .optional(.integer(1...1_000_000)), default: nil,
    summary:
      "with `end: terminated`: a sample of exactly this many tokens counts as cut; with null the column `finish` decides"
  )
  static let turns = StageOption(
    "turns", .optional(.choice(TrainedTurns.self)), default: nil, addedLater: true,
    aliases: ["assistant_only_loss", "train_on_turns"],
    summary:
      "in chat, the turns of the assistant that are trained on: `last`, the generations alone; `all`, those in `messages` before them too, each with the token that ends it. With null it is `all` for `objective: sft` without conditioning, else `last`"
  )
  static let vocabulary = StageOption(
    "vocabulary", .choice(Vocabulary.self), default: "model",
    summary:
      "whether embedding rows without a token stay in the softmax, or are cut off before training, as resizing a model to its tokenizer does"
  )
  static let lr = StageOption(
    "lr", .number(0...10, exclusiveMinimum: true, single: true), aliases: ["learning_rate"],
    summary: "peak learning rate")
  static let conditioningLR = StageOption(
    "conditioning_lr", .optional(.number(0...10, exclusiveMinimum: true, single: true)), default: nil,
    summary: "peak learning rate of the conditioning tokens' embedding rows; null is `lr`")
  static let warmUpRatio = StageOption(
    "warmup_ratio", .number(0...1), default: 0.05,
    summary: "share of the steps used for warm-up, rounded up to whole steps; a training of one step has none"
  )
  static let warmUpSteps = StageOption(
    "warmup_steps", .optional(.integer(0...1_000_000_000)), default: nil, addedLater: true,
    aliases: ["num_warmup_steps"],
    summary: "steps used for warm-up, in place of a share of them; null is `warmup_ratio`")
  static let warmUp = StageOption(
    "warmup", .choice(LearningRateSchedule.WarmUp.self), default: "linear", original: "logarithmic",
    summary: "`lr` times t / w, or log(t + 1) / log(w), at step t of w; the rate of step 0 is 0")
  static let decay = StageOption(
    "decay", .choice(LearningRateSchedule.Decay.self), default: "linear",
    aliases: ["lr_scheduler_type", "lr_scheduler", "scheduler"],
    summary:
      "after the warm-up: `linear` and `cosine` decay to `decay_floor`, which would be reached one step after the last; `constant` stays at `lr`"
  )
  static let decayFloor = StageOption(
    "decay_floor", .number(0...1), default: 0.0, addedLater: true,
    aliases: ["min_lr_rate", "min_lr_ratio"], summary: "where the decay ends, as a share of `lr`")
  static let epochs = StageOption(
    "epochs", .integer(1...10_000), default: 1, aliases: ["num_epochs", "num_train_epochs"],
    summary: "passes over the rows")
  static let steps = StageOption(
    "steps", .optional(.integer(1...1_000_000_000)), default: nil, addedLater: true,
    aliases: ["max_steps", "num_steps", "train_steps"],
    summary: "steps in place of `epochs`: passes over the rows, as many as they take and a part of one")
  static let batchSize = StageOption(
    "batch_size", .integer(1...100_000), default: 8,
    aliases: ["per_device_train_batch_size", "train_batch_size"], summary: "samples in a step")
  static let dropLast = StageOption(
    "drop_last", .bool, default: false, original: true,
    summary: "leave out an epoch's last batch when it is not full")
  static let unfrozenRatio = StageOption(
    "unfrozen_ratio", .number(0...1), default: 1.0,
    summary: "share of the blocks that train, counted from the last; the rest is frozen")
  static let trainEmbeddings = StageOption(
    "train_embeddings", .bool, default: true, summary: "whether token embeddings and head train")
  static let maxGradientNorm = StageOption(
    "max_gradient_norm", .optional(.number(0...1e9, exclusiveMinimum: true, single: true)), default: 1.0,
    aliases: ["max_grad_norm", "grad_clip", "gradient_clipping"],
    summary: "global norm to which gradients are clipped; null does not clip")
  static let gradientLeaves = StageOption(
    "gradient_leaves", .integer(1...4096), default: 1,
    summary:
      "parts of a batch whose gradients are summed separately, then pairwise; processes that share a batch divide the parts among them"
  )
  static let options =
    [
      objective.field, conditioning.field, TargetSource.option.field.originally("spaced_text"), end.field,
      maxNewTokens.field,
      turns.field,
      vocabulary.field,
      lr.field,
      conditioningLR.field, warmUpRatio.field, warmUpSteps.field, warmUp.field, decay.field, decayFloor.field,
      epochs.field, steps.field, batchSize.field, dropLast.field, unfrozenRatio.field, trainEmbeddings.field,
      maxGradientNorm.field, gradientLeaves.field,
      adam.field, optimizer.field, schedule.field, state.field, evaluateEvery.field, keepEvery.field,
      keepBest.field,
    ] + PromptOptions.fieldsOfTraining

  static func warmUpLength(_ options: StageOptions) -> LearningRateSchedule.WarmUpLength {
    options[warmUpSteps].map { .steps($0) } ?? .share(options[warmUpRatio])
  }

  /// What null means: a supervised objective learns what a conversation shows, others learn samples.
  static func trainedTurns(_ options: StageOptions) -> TrainedTurns {
    if let turns = options[turns] { return turns }
    guard case .none = options[conditioning] else { return .last }
    return options[objective].objective is SupervisedFineTuning ? .all : .last
  }
}
