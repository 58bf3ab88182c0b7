// `train`, before it runs: how many steps there are, and the learning rate over them.

import Experiments
import JSON

extension TrainStage {
  static func checkSteps(_ options: StageOptions, _ findings: inout StageFindings) {
    if options[steps] != nil, options[epochs] != 1 {
      findings.error(
        .conflictingOptions, "`steps` and `epochs` both say how long to train", at: .option("epochs"),
        label: "beside `steps`", help: "write one of them")
    }
    let isOwnRatio = options[warmUpRatio] != warmUpRatio.field.defaultValue?.doubleValue
    if options[warmUpSteps] != nil, isOwnRatio {
      findings.error(
        .conflictingOptions, "`warmup_steps` and `warmup_ratio` both say how long the warm-up is",
        at: .option("warmup_ratio"), label: "beside `warmup_steps`", help: "write one of them")
    }
    if options[schedule] == nil, let warmUp = options[warmUpSteps], let steps = options[steps], warmUp > steps
    {
      findings.error(
        .conflictingOptions,
        "the warm-up of \(warmUp) steps is longer than the training of \(steps), so that `lr` is never reached",
        at: .option("warmup_steps"), label: "more than `steps`", help: "write at most \(steps)")
    }
    if options[decayFloor] > 0, options[decay] == .constant {
      findings.error(
        .conflictingOptions, "`decay_floor` is where a decay ends, but `decay` is `constant`",
        at: .option("decay_floor"), label: "has nothing to act on", help: "remove it")
    }
  }
}
