// `evaluate_every:`, `keep_every:` and `keep_best:` of `train`: a look at a training, and models from its middle.

import Experiments
import JSON
import Models

extension TrainStage {
  static let evaluateEvery = StageOption(
    "evaluate_every", .optional(.integer(1...1_000_000_000)), default: nil, addedLater: true,
    aliases: ["eval_steps", "eval_interval"],
    summary:
      "steps after which the loss on the rows at `validation` is measured, and after the last step"
  )
  static let keepEvery = StageOption(
    "keep_every", .optional(.integer(1...1_000_000_000)), default: nil, addedLater: true,
    aliases: ["save_steps", "save_interval", "checkpoint_every"],
    summary:
      "with `steps`: steps after which the model is kept, as the output `step_N` of step N; that of the last step is `model`"
  )
  static let keepBest = StageOption(
    "keep_best", .bool, default: false, addedLater: true, aliases: ["load_best_model_at_end"],
    summary: "whether `model` is that of the lowest of these losses, rather than of the last step")

  /// More outputs than anyone looks at.
  static let mostKept = 100

  /// After which steps models are kept.
  static func keptSteps(every interval: Int?, of steps: Int?) -> [Int] {
    guard let interval, let steps, steps > interval, (steps - 1) / interval <= mostKept else { return [] }
    return Array(stride(from: interval, to: steps, by: interval))
  }

  static func keptName(_ step: Int) -> String { "step_\(step)" }
}
