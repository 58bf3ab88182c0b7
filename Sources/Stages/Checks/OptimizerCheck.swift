// `train`, before it runs: the optimizer's options against each other.

import Experiments
import JSON

extension TrainStage {
  static func checkOptimizer(_ options: StageOptions, _ findings: inout StageFindings) {
    guard let chosen = options[optimizer] else { return }
    if options.json[adam.field.name] != adam.field.defaultValue {
      findings.error(
        .conflictingOptions, "`adam` and `optimizer` both say which optimizer is used",
        at: .option("adam"), label: "beside `optimizer`",
        help: "write its values under `optimizer: {kind: adamw}`")
    }
    if !chosen.excluded.isEmpty, chosen.weightDecay == 0 {
      findings.error(
        .conflictingOptions,
        "`optimizer.no_decay` says which tensors have no weight decay, but `weight_decay` is 0",
        at: .option("optimizer.no_decay"), label: "has nothing to act on", help: "remove it")
    }
    for (index, part) in chosen.excluded.enumerated() where part.isEmpty {
      findings.error(
        .wrongValue, "`optimizer.no_decay` has an empty entry, which is in the name of every tensor",
        at: .option("optimizer.no_decay.\(index)"), label: "empty", help: "write `weight_decay: 0`")
    }
  }
}
