// `train` with an objective of whole texts, before it runs: the model's head, the rows' columns, and options of `train` that such an objective
// does not read.

import Experiments
import JSON
import Models

extension TrainStage {
  static func check(_ texts: any WholeTexts, _ stage: StageCheck, _ findings: inout StageFindings) {
    let chosen = stage.options[objective]
    findings.want(texts.head, at: "model", in: stage) { $0.training(share: stage.options[unfrozenRatio]) }
    check(chosen, stage, &findings)
    if let column = texts.column {
      for port in ["rows", "validation"] where stage.isBound(port) {
        findings.want(
          column: column, of: port, in: stage, because: "`objective` of kind `\(chosen.kind)`",
          help: "`column` of `objective` names another; `samples` and `keep` of `data` give columns")
      }
    }
    texts.text.check(below: "objective.", stage, &findings)
    texts.check(stage, &findings)
    checkUnread(of: chosen, stage, &findings)
    findings.declare(Fact.conditionedClasses, 0, of: "model")
    findings.declare(Fact.texts, texts.text.written, of: "model")
    if let head = stage.artifact("model")?.head {
      findings.declare(Fact.head, headFact(texts.head.replacement(of: head) ?? head), of: "model")
    }
    passModel(stage, &findings)
  }

  /// Options that say how outputs follow their prompts.
  private static func checkUnread(
    of chosen: ChosenObjective, _ stage: StageCheck, _ findings: inout StageFindings
  ) {
    let ofTexts = PromptOptions.fields.map(\.name)
    let fields =
      [
        conditioning.field, end.field, maxNewTokens.field, turns.field, conditioningLR.field,
        TargetSource.option.field,
      ] + PromptOptions.fields
    for field in fields {
      guard stage.isWritten(field.name), stage.options.json[field.name]?["kind"] != "none" else { continue }
      findings.error(
        .conflictingOptions,
        "`\(field.name)` is for objectives that train outputs after their prompts, and `\(chosen.kind)` reads whole texts",
        at: .option(field.name), label: "has nothing to act on",
        help: ofTexts.contains(field.name)
          ? "write it inside `objective`: the texts are made by its options" : "remove it")
    }
  }
}

extension PreferenceRows {
  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    let defaultColumn = "rewards"
    if preferred == .first, comparedColumn != defaultColumn {
      findings.error(
        .conflictingOptions, "`column` is `\(comparedColumn)`, but `preferred: first` compares no numbers",
        at: .option("objective.column"), label: "has nothing to act on",
        help: "remove it, or write `preferred: highest`")
    }
    guard let pad else { return }
    guard positions == .diverging else {
      findings.error(
        .conflictingOptions,
        "`pad` fills the shorter text, but `positions: last` reads each text at its own end",
        at: .option("objective.pad"), label: "has nothing to act on", help: "remove it")
      return
    }
    guard let model = stage.artifact("model")?.facts[Fact.tokenizerPath]?.stringValue,
      let added = try? openAddedTokens(model), !added.contains(where: { UTF8Key($0.content) == UTF8Key(pad) })
    else { return }
    findings.error(
      .wrongValue, "`pad` is `\(pad)`, which is no special token of the model at `model`",
      at: .option("objective.pad"), label: "no such token")
  }
}

extension LabelRows {
  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    var seen: Set<UTF8Key> = []
    for (index, label) in labels.enumerated() where !seen.insert(UTF8Key(label)).inserted {
      findings.error(
        .wrongValue, "`labels` contains `\(label)` twice", at: .option("objective.labels.\(index)"),
        label: "given twice")
    }
  }
}
