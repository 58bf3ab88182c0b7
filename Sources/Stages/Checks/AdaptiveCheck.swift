// `train`, before it runs: adaptive coefficients against the coefficients and the batch.

import Experiments
import Models

extension TrainStage {
  static func checkAdaptation(_ options: StageOptions, _ findings: inout StageFindings) {
    guard let objective = options[objective].objective as? ConditionalObjective,
      let adaptation = objective.adaptation
    else { return }
    if adaptation.klTarget == nil, adaptation.entropyTarget == nil {
      findings.error(
        .conflictingOptions, "`objective.adaptive` has neither `kl_target` nor `entropy_target`",
        at: .option("objective.adaptive"), label: "changes nothing", help: "write a target, or remove it")
    }
    for (name, isAimed, coefficient) in [
      ("kl", adaptation.klTarget != nil, objective.kl),
      ("entropy", adaptation.entropyTarget != nil, objective.entropy),
    ] where isAimed && coefficient == 0 {
      findings.error(
        .conflictingOptions,
        "`objective.adaptive` multiplies `\(name)`, which is 0 and stays so",
        at: .option("objective.adaptive.\(name)_target"), label: "has nothing to act on",
        help: "write what `\(name)` begins with")
    }
    if adaptation.horizon < Double(options[batchSize]) {
      findings.error(
        .conflictingOptions,
        "`objective.adaptive.horizon` is \(Int(adaptation.horizon)) samples, fewer than the \(options[batchSize]) of a batch",
        at: .option("objective.adaptive.horizon"), label: "shorter than a step",
        help: "write at least \(options[batchSize]); the originals have 2500")
    }
  }
}
