// `sample`, before it runs: options against each other, and the class asked for against those of the model.

import Experiments
import JSON

extension SampleStage {
  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    let options = stage.options
    check(server: stage, &findings)
    for (name, texts) in [("stop", options[stop]), ("bad_words", options[badWords])] {
      for (index, text) in texts.enumerated() where text.isEmpty {
        findings.error(
          .wrongValue, "`\(name)` contains an empty text, which every sample contains",
          at: .option("\(name).\(index)"), label: "empty", help: "remove it")
      }
    }
    if findings.want(server: demand(options), at: "model", [.chat, .completions, .messages], in: stage) {
      check(options[condition], forServer: "model", &findings)
      findings.pass(stage.artifacts("prompts"), to: "rows") { $0 != Fact.rows }
      return findings
    }
    findings.want(.language, at: "model", in: stage)
    let length = PromptOptions(options).length
    findings.pass(stage.artifacts("prompts"), and: stage.artifacts("model"), to: "rows") {
      $0 != Fact.rows || length.overflow != .drop
    }
    findings.want(
      length, promptsAt: "prompts", readBy: ["model"], readsGenerations: false,
      beside: (options[maxNewTokens], "max_new_tokens"), in: stage)
    findings.want(
      markersOf: check(options[condition], stage, &findings), promptsAt: "prompts", readBy: "model", in: stage
    )
    findings.want(chat: options[ChatOption.option], model: "model", rows: "prompts", in: stage)
    let (least, most) = (options[minNewTokens], options[maxNewTokens])
    if least > most {
      findings.error(
        .conflictingOptions,
        "`min_new_tokens` is \(least), but no sample has more than `max_new_tokens`, \(most)",
        at: .option("min_new_tokens"), label: "more than \(most)")
    }
    let model = stage.artifact("model")?.facts
    if let context = model?[Fact.context]?.intValue, most >= context {
      findings.error(
        .wrongValue,
        "`max_new_tokens` is \(most), but the model's context is \(context) tokens, the prompt's included",
        at: .option("max_new_tokens"), label: "leaves no room for a prompt", help: "lower it")
    }
    return findings
  }

  /// What the author wrote of a condition.
  private static func check(
    _ choice: ConditionChoice, _ stage: StageCheck, _ findings: inout StageFindings
  ) -> [(path: String, text: String)] {
    let known = stage.artifact("model")?.facts[Fact.conditionedClasses]
    switch choice {
    case .none: break
    case .text(let text): return [("condition.text", text)]
    case .best:
      if known == .null {
        findings.error(
          .unknownClass,
          "`condition: best` asks for the best texts that the model was trained with, and it keeps none",
          at: .option("condition"), label: "the model keeps no exemplars",
          help:
            "write `best_by: scores` in the `conditioning` that trains it, or `condition: {column: …}` here")
      }
    case .numbered(let wanted):
      guard let classes = known?.intValue, wanted >= classes else { break }
      findings.error(
        .unknownClass,
        classes == 0
          ? "`condition` asks for class \(wanted), but the model was never conditioned"
          : "`condition` asks for class \(wanted), but the model has classes 0 to \(classes - 1)",
        at: .option("condition.class"), label: "no such class")
    case .column(let column, let template):
      findings.want(
        column: column, of: "prompts", in: stage, because: "`condition: {column: \(column)}`",
        help: "a stage before this one gives it, such as `exemplar`")
      findings.want(template: template, at: "condition.template")
      if let literal = template.flatMap({ try? ValueTemplate($0) })?.literal.text {
        return [("condition.template", literal)]
      }
    }
    return []
  }
}
