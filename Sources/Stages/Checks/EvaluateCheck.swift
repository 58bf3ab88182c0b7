// `evaluate`, before it runs: what each metric needs, and the names that it will report.

import JSON
import Runner

extension EvaluateStage {
  package static func declaration(for options: JSON) -> StageDeclaration {
    guard let wanted = metrics.value(in: options) else { return declaration }
    var names = ["generations"]
    if wanted.contains(.reward) { names += ["reward", "reward_deviation"] }
    if wanted.contains(.perplexity) { names.append("perplexity") }
    if wanted.contains(.distinct) { names += (1...3).map { "distinct_\($0)" } }
    return declaration.giving("metrics", names: names)
  }

  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    findings.want(.language, at: "reference", in: stage)
    let wanted = stage.options[metrics]
    if wanted.contains(.perplexity), !stage.isBound("reference") {
      findings.error(
        "missing-input",
        "`metrics` asks for `perplexity`, which needs the input `reference`, which is not bound",
        at: .option("metrics"), label: "needs `reference`",
        help:
          "bind it: `in: {reference: MODEL}`; or list other metrics: `metrics: [\(wanted.filter { $0 != .perplexity }.map(\.rawValue).joined(separator: ", "))]`"
      )
    }
    if wanted.contains(.reward) {
      findings.want(
        column: "rewards", of: "rows", in: stage, because: "the metric `reward`",
        help: "`score` gives it; or list other metrics")
    }
    return findings
  }
}
