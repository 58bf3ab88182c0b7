// `score`, before it runs: the template, the labels and the model's head.

import JSON
import Runner

extension ScoreStage {
  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    let scorer = stage.options.object("scorer")
    let isChoice = scorer.string("kind") == "choice"
    findings.want(isChoice ? .language : .reward, at: "model", in: stage)
    findings.pass(stage.artifacts("rows"), to: "rows")
    do {
      let fields = try PromptTemplate(scorer.string("template")).fieldNames
      if let unknown = fields.first(where: { !ScoringTemplate.fields.contains($0) }) {
        findings.error(
          "unknown-field", "`template` names `{\(unknown)}`", at: .option("scorer.template"),
          label: "no such field",
          help: Suggestion.nearest(to: unknown, among: ScoringTemplate.fields).map {
            "did you mean `{\($0)}`?"
          }
            ?? "it can name `{prompt}` and `{generation}`; other braces are written `{{` and `}}`")
      }
    } catch {
      findings.error("bad-template", "`template`: \(error)", at: .option("scorer.template"))
    }
    findings.want(
      markersOf: [("scorer.template", scorer.string("template"))], promptsAt: "rows", readBy: "model",
      in: stage)
    if isChoice { check(labels: scorer, &findings) }
    return findings
  }

  private static func check(labels scorer: StageOptions, _ findings: inout StageFindings) {
    let labels = scorer.strings("labels")
    var seen: Set<UTF8Key> = []
    for (index, label) in labels.enumerated() {
      let place = StageFindings.Place.option("scorer.labels.\(index)")
      if label.isEmpty {
        findings.error("wrong-value", "a label of `labels` is empty", at: place, label: "empty")
      } else if !seen.insert(UTF8Key(label)).inserted {
        findings.error(
          "wrong-value", "`labels` contains `\(label)` twice",
          at: place, label: "given twice")
      }
    }
    let wanted = scorer.string("reward")
    if !labels.contains(where: { $0.utf8.elementsEqual(wanted.utf8) }) {
      let list = labels.map { "`\($0)`" }.joined(separator: ", ")
      findings.error(
        "wrong-value", "`reward` is `\(wanted)`, which is none of `labels`", at: .option("scorer.reward"),
        label: "not a label",
        help: Suggestion.nearest(to: wanted, among: labels).map { "did you mean `\($0)`?" }
          ?? "the labels are: \(list)")
    }
  }
}
