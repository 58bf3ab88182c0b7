// `train`, before it runs: held-out rows, and models from the middle of a training.

import Experiments
import JSON

extension TrainStage {
  static func checkKeeping(_ stage: StageCheck, _ findings: inout StageFindings) {
    let options = stage.options
    if options[evaluateEvery] != nil, !stage.isBound("validation") {
      findings.error(
        .missingInput, "`evaluate_every` needs the input `validation`, which is not bound",
        at: .option("evaluate_every"), label: "needs `validation`",
        help: "bind rows that are not trained on: `in: {validation: ROWS}`")
    }
    if stage.isBound("validation") {
      if options[evaluateEvery] == nil {
        findings.error(
          .conflictingOptions,
          "the input `validation` is bound, but `evaluate_every` does not say when it is read",
          at: .input("validation"), label: "is not read",
          help: "write `evaluate_every: N`, or remove it")
      }
      if options[objective].texts == nil, let source = options[conditioning].source {
        findings.want(
          column: source.column, of: "validation", in: stage,
          because: "`conditioning` of kind `\(options[conditioning].kind)`",
          help: "the rows at `validation` are read as those at `rows` are")
      }
    }
    checkBest(options, &findings)
    checkKept(options, &findings)
  }

  private static func checkBest(_ options: StageOptions, _ findings: inout StageFindings) {
    guard options[keepBest] else { return }
    if options[evaluateEvery] == nil {
      findings.error(
        .conflictingOptions, "`keep_best` needs `evaluate_every`: nothing else says which step is the best",
        at: .option("keep_best"), label: "has nothing to act on", help: "write `evaluate_every: N`")
    }
    if options[state] != .none {
      findings.error(
        .conflictingOptions,
        "`keep_best` gives the model of another step than the last, from which `state` goes on",
        at: .option("keep_best"), label: "beside `state`", help: "write one of them")
    }
  }

  private static func checkKept(_ options: StageOptions, _ findings: inout StageFindings) {
    guard let interval = options[keepEvery] else { return }
    guard let steps = options[steps] else {
      findings.error(
        .conflictingOptions,
        "`keep_every` needs `steps`: its outputs are named by them before any row is read",
        at: .option("keep_every"), label: "needs `steps`", help: "write `steps: N` in place of `epochs`")
      return
    }
    if interval >= steps {
      findings.error(
        .conflictingOptions,
        "`keep_every` is \(interval), but there are \(steps) steps, the last of which gives `model`",
        at: .option("keep_every"), label: "keeps nothing", help: "write fewer, or remove it")
    } else if (steps - 1) / interval > mostKept {
      findings.error(
        .conflictingOptions,
        "`keep_every: \(interval)` keeps \((steps - 1) / interval) models of \(steps) steps; at most \(mostKept) are kept",
        at: .option("keep_every"), label: "too many models",
        help: "write at least \((steps - 1) / (mostKept + 1) + 1)")
    }
  }
}
