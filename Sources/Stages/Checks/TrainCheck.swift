// `train`, before it runs: conditioning against the classes of the rows, the objective against the reference.

import Experiments
import JSON

extension TrainStage {
  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    let options = stage.options
    checkSteps(options, &findings)
    checkOptimizer(options, &findings)
    checkAdaptation(options, &findings)
    checkState(stage, &findings)
    checkKeeping(stage, &findings)
    if let texts = options[objective].texts {
      check(texts, stage, &findings)
      return findings
    }
    let conditioning = options[Self.conditioning]
    findings.want(.language, at: "model", in: stage) { $0.training(share: options[unfrozenRatio]) }
    findings.want(.language, at: "reference", in: stage)
    check(options[objective], stage, &findings)
    findings.want(
      PromptOptions(options).length, promptsAt: "rows",
      readBy: options[objective].objective.reference == nil ? ["model"] : ["model", "reference"], in: stage)
    checkConditioningRate(options, conditioning, &findings)
    if case .text(let text) = conditioning, text.isOpen {
      findings.declare(Fact.conditionedClasses, text.bestBy == nil ? .null : 1, of: "model")
    } else {
      findings.declare(Fact.conditionedClasses, .int(Int64(conditioning.classCount)), of: "model")
    }
    findings.declare(Fact.head, headFact(.language), of: "model")
    passModel(stage, &findings)
    findings.want(
      markersOf: conditioning.writtenTexts, promptsAt: "rows", readBy: "model", in: stage)
    check(conditioning, stage, &findings)
    let chat = options[ChatOption.option]
    findings.want(
      chat: chat, model: "model", rows: "rows", needsEnd: options[end] != .never, in: stage)
    checkTurns(options, chat, &findings)
    return findings
  }

  /// What stays as it is of the model that is trained.
  static func passModel(_ stage: StageCheck, _ findings: inout StageFindings) {
    for name in [
      Fact.context, Fact.parameters, ModelMemory.fact, Fact.tokenizerPath, Fact.hasChatTemplate,
    ] {
      if let value = stage.artifact("model")?.facts[name] { findings.declare(name, value, of: "model") }
    }
    findings.declare(
      Fact.noIntegers,
      "`numeric: file` computes in the integers of a GGUF file, but `train` writes no such file", of: "model")
    findings.passPrompts(ofTraining: stage.artifacts("rows"), from: stage.artifacts("model"), to: "model")
  }

  static func check(
    _ chosen: ChosenObjective, _ stage: StageCheck, _ findings: inout StageFindings
  ) {
    if chosen.objective.reference != nil, !stage.isBound("reference") {
      let option = chosen.referenceOption
      findings.error(
        .missingInput,
        (option.map { "`\($0.name)` is \($0.value), and \($0.reader)" } ?? "the objective `\(chosen.kind)`")
          + " needs the input `reference`, which is not bound",
        at: .option(option?.name ?? "objective"), label: "needs `reference`",
        help: "bind it: `in: {reference: MODEL}`" + (option.map { "; or \($0.alternative)" } ?? ""))
    }
    if chosen.referenceOption == nil, chosen.objective.reference == nil, stage.isBound("reference") {
      findings.warning(
        .unusedInput,
        "the objective `\(chosen.kind)` reads no reference, but the input `reference` is bound",
        at: .input("reference"), label: "is not read",
        help: "remove it; the stage runs again whenever this model changes, with the same result")
    }
  }

  private static func checkTurns(
    _ options: StageOptions, _ chat: ChatOption?, _ findings: inout StageFindings
  ) {
    guard let turns = options[turns] else { return }
    if chat == nil {
      findings.error(
        .conflictingOptions, "`turns` says which turns of a chat are trained on, but `chat` is not set",
        at: .option("turns"), label: "has nothing to act on", help: "write `chat: true`")
    } else if turns == .all, options[conditioning].conditioning != nil {
      findings.error(
        .conflictingOptions,
        "`turns: all` trains on turns that have no class, and `conditioning` is of kind `\(options[conditioning].kind)`",
        at: .option("turns"), label: "turns without a class",
        help: "write `turns: last`, or `conditioning: {kind: none}`")
    }
  }

  private static func checkConditioningRate(
    _ options: StageOptions, _ conditioning: ConditioningChoice, _ findings: inout StageFindings
  ) {
    guard options[conditioningLR] != nil else { return }
    let reason: String
    if case .tokens = conditioning {
      if options[trainEmbeddings] { return }
      reason = "`train_embeddings` is false"
    } else {
      reason = "`conditioning` is of kind `\(conditioning.kind)`"
    }
    findings.error(
      .conflictingOptions,
      "`conditioning_lr` is the learning rate of conditioning tokens, but " + reason,
      at: .option("conditioning_lr"), label: "has nothing to act on", help: "remove it")
  }

  private static func check(
    _ conditioning: ConditioningChoice, _ stage: StageCheck, _ findings: inout StageFindings
  ) {
    guard let source = conditioning.source else { return }
    let (kind, count) = (conditioning.kind, conditioning.classCount)
    findings.want(
      column: source.column, of: "rows", in: stage, because: "`conditioning` of kind `\(kind)`",
      help: (source.column == ClassSource.classNumbers
        ? "`quantize` gives it" : "a stage before this one gives it")
        + "; to train without classes write `conditioning: {kind: none}`")
    var option = "conditioning.prefixes"
    switch conditioning {
    case .tokens(_, _, let words, _):
      option = "conditioning.classes"
      if let words { check(words: words, count, &findings) }
    case .text(let text):
      check(text, stage, &findings)
      if text.conditioning == nil || text.isOpen { return }
    case .none: break
    }
    if let labels = source.labels {
      check(labels: labels, count, of: option, &findings)
      return
    }
    guard source.column == ClassSource.classNumbers else { return }
    guard let known = stage.artifact("rows")?.facts[Fact.classes]?.intValue else { return }
    if known > count {
      findings.error(
        .unknownClass,
        "the rows have classes 0 to \(known - 1), but `conditioning` has classes 0 to \(count - 1)",
        at: .option(option), label: "fewer than the rows have",
        help: kind == "tokens" ? "write `classes: \(known)`" : "write \(known) prefixes, the best first")
    } else if known < count {
      findings.warning(
        .unusedClass,
        "`conditioning` has classes 0 to \(count - 1), but the rows have only 0 to \(known - 1)",
        at: .option(option), label: "more than the rows have",
        help: "the other classes are never trained on")
    }
  }

  private static func check(
    _ text: TextConditioning, _ stage: StageCheck, _ findings: inout StageFindings
  ) {
    findings.want(template: text.template, at: "conditioning.template")
    if text.prefixes == nil, text.template == nil {
      findings.error(
        .conflictingOptions, "`conditioning` of kind `text` has neither `prefixes` nor `template`",
        at: .option("conditioning"), label: "no text",
        help:
          "write `prefixes: […]`, one a class, the best first; or `template: \"feedback: {value} input: \"`")
    } else if text.prefixes != nil, text.template != nil {
      findings.error(
        .conflictingOptions, "`prefixes` and `template` are two rules for one text",
        at: .option("conditioning.template"), label: "beside `prefixes`", help: "write one of them")
    }
    if text.source.kept.contains(.offList), stage.isWritten("conditioning.keep"),
      text.template == nil || text.source.labels == nil
    {
      findings.error(
        .conflictingOptions,
        "`keep: [off_list]` trains on entries that are none of `labels`, in a `template`, but there is "
          + (text.source.labels == nil ? "no list of labels" : "no template"),
        at: .option("conditioning.keep"), label: "has nothing to act on",
        help: text.source.labels == nil ? "remove it" : "write `template` in the place of `prefixes`")
    }
    guard let column = text.bestBy else { return }
    if !text.isOpen {
      findings.error(
        .conflictingOptions, "`best_by` keeps the best of the samples' own texts, but there are classes",
        at: .option("conditioning.best_by"), label: "has nothing to act on", help: "remove it")
    } else {
      findings.want(
        column: column, of: "rows", in: stage, because: "`best_by: \(column)`",
        help: "a stage before this one gives it")
    }
  }

  private static func check(
    labels: [ClassSource.Label], _ count: Int, of option: String, _ findings: inout StageFindings
  ) {
    for (index, label) in labels.enumerated()
    where labels[..<index].contains(where: { $0.value == label.value }) {
      findings.error(
        .wrongValue, "`labels` holds \(label.value.text()) twice",
        at: .option("conditioning.labels.\(index)"), label: "given twice")
    }
    if labels.count != count {
      findings.error(
        .conflictingOptions,
        "`conditioning.labels` has \(labels.count) entries for \(count) classes; expected one for each",
        at: .option(option), label: "\(count) classes")
    }
  }

  private static func check(
    words: [String], _ count: Int, _ findings: inout StageFindings
  ) {
    if words.count != count {
      findings.error(
        .conflictingOptions,
        "`conditioning.words` has \(words.count) entries for \(count) classes; expected one for each",
        at: .option("conditioning.words"), label: "\(words.count) entries")
    }
    for (index, word) in words.enumerated() where word.isEmpty {
      findings.error(
        .wrongValue, "`conditioning.words` has an empty entry",
        at: .option("conditioning.words.\(index)"), label: "empty")
    }
  }
}
