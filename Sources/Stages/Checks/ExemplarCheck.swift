// `exemplar`, before it runs: the column of classes, and which classes there are.

import Experiments
import JSON

extension ExemplarStage {
  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    let (column, listed) = (stage.options[by], stage.options[classes])
    findings.pass(stage.artifacts("prompts"), to: "rows")
    findings.want(
      column: column.rawValue, of: "feedbacks", in: stage, because: "`by: \(column.rawValue)`",
      help: column == .quantiles ? "`quantize` gives it" : "`annotate` gives it")
    for (index, value) in listed.enumerated() {
      let place = StageFindings.Place.option("classes.\(index)")
      if (value.stringValue != nil) != (column == .feedbacks) {
        findings.error(
          .wrongValue,
          "`classes` holds \(value.text()), but `\(column.rawValue)` are \(column == .feedbacks ? "texts" : "numbers")",
          at: place, label: value.stringValue == nil ? "an integer" : "a text")
      } else if listed[..<index].contains(value) {
        findings.error(
          .wrongValue, "`classes` holds \(value.text()) twice", at: place, label: "given twice")
      }
    }
    guard listed.isEmpty else { return findings }
    if column == .feedbacks {
      findings.error(
        .conflictingOptions, "`by: feedbacks` needs the classes in `classes`, which is empty",
        at: .option("by"),
        label: "`classes` is missing", help: "list the classes, best first: `classes: […]`")
    } else if stage.options[empty] == .fail {
      findings.error(
        .conflictingOptions,
        "`empty` is `fail`, but without `classes` the best class is the best that there is, which is never empty",
        at: .option("empty"), label: "has nothing to act on",
        help: "list the classes, best first: `classes: […]`"
      )
    }
    return findings
  }
}
