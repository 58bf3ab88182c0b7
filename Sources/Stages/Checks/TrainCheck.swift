// `train`, before it runs: conditioning against the classes of the rows, the KL term against its reference.

import JSON
import Runner

extension TrainStage {
  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    let options = stage.options
    for port in ["model", "reference"] { findings.want(.language, at: port, in: stage) }
    let kl = options.object("objective").json["kl"]?.doubleValue ?? 0
    if kl > 0, !stage.isBound("reference") {
      findings.error(
        "missing-input",
        "`objective.kl` is \(kl), and the KL term needs the input `reference`, which is not bound",
        at: .option("objective.kl"), label: "needs `reference`",
        help: "bind it: `in: {reference: MODEL}`; or set `kl: 0`")
    }
    let conditioning = options.object("conditioning")
    let kind = conditioning.string("kind")
    if !options.value("conditioning_lr").isNull, kind != "tokens" || !options.bool("train_embeddings") {
      findings.error(
        "conflicting-options",
        "`conditioning_lr` is the learning rate of conditioning tokens, but "
          + (kind == "tokens" ? "`train_embeddings` is false" : "`conditioning` is of kind `\(kind)`"),
        at: .option("conditioning_lr"), label: "has nothing to act on", help: "remove it")
    }
    let count = classCount(conditioning)
    findings.know(Fact.conditionedClasses, .int(Int64(count)), of: "model")
    findings.know(Fact.isRewardModel, false, of: "model")
    for name in [Fact.context, Fact.parameters, Fact.tokenizerPath] {
      if let value = stage.artifact("model")?.facts[name] { findings.know(name, value, of: "model") }
    }
    let prefixes = (conditioning.json["prefixes"]?.arrayValue ?? []).compactMap(\.stringValue)
    findings.want(
      markersOf: prefixes.enumerated().map { ("conditioning.prefixes.\($0)", $1) }
        + [("conditioning.opening", conditioning.json["opening"]?.stringValue ?? "")],
      promptsAt: "rows", readBy: "model", in: stage)
    if kind != "none" { check(conditioning, count, stage, &findings) }
    return findings
  }

  private static func classCount(_ conditioning: StageOptions) -> Int {
    switch conditioning.string("kind") {
    case "tokens": conditioning.int("classes")
    case "text": conditioning.list("prefixes").count
    default: 0
    }
  }

  private static func check(
    _ conditioning: StageOptions, _ count: Int, _ stage: StageCheck, _ findings: inout StageFindings
  ) {
    let kind = conditioning.string("kind")
    findings.want(
      column: "quantiles", of: "rows", in: stage, because: "`conditioning` of kind `\(kind)`",
      help: "`quantize` gives it; to train without classes write `conditioning: {kind: none}`")
    if kind == "tokens", let words = conditioning.value("words").arrayValue {
      if words.count != count {
        findings.error(
          "conflicting-options",
          "`conditioning.words` has \(words.count) entries for \(count) classes; expected one for each",
          at: .option("conditioning.words"), label: "\(words.count) entries")
      }
      for (index, word) in words.enumerated() where word.stringValue?.isEmpty ?? false {
        findings.error(
          "wrong-value", "`conditioning.words` has an empty entry",
          at: .option("conditioning.words.\(index)"),
          label: "empty")
      }
    }
    guard let known = stage.artifact("rows")?.facts[Fact.classes]?.intValue else { return }
    let option = "conditioning." + (kind == "tokens" ? "classes" : "prefixes")
    if known > count {
      findings.error(
        "unknown-class",
        "the rows have classes 0 to \(known - 1), but `conditioning` has classes 0 to \(count - 1)",
        at: .option(option), label: "fewer than the rows have",
        help: kind == "tokens" ? "write `classes: \(known)`" : "write \(known) prefixes, the best first")
    } else if known < count {
      findings.warning(
        "unused-class",
        "`conditioning` has classes 0 to \(count - 1), but the rows have only 0 to \(known - 1)",
        at: .option(option), label: "more than the rows have",
        help: "the other classes are never trained on")
    }
  }
}
