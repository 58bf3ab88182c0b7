// `annotate`, before it runs: the annotator and the parser, each and beside each other, and what the rows hold.

import Experiments
import JSON

extension AnnotateStage {
  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    let (annotator, parser) = (stage.options[annotator], stage.options[parser])
    findings.pass(stage.artifacts("rows"), and: stage.artifacts("model"), to: "rows") {
      $0 != Fact.classes || parser.classCount == nil
    }
    annotator.check(stage, &findings)
    let isRule = annotator is RuleAnnotator
    if isRule, !(parser is TextParser) {
      findings.error(
        .conflictingOptions,
        "`parser` reads replies, and with `annotator` of kind `rule` there are none: the text of the class is the feedback",
        at: .option("parser"), label: "has nothing to act on", help: "remove it")
    } else {
      parser.check(&findings)
    }
    if isRule, stage.options[failAbove] != nil {
      findings.error(
        .conflictingOptions,
        "`fail_above` counts replies that cannot be read, and `annotator` of kind `rule` has none",
        at: .option("fail_above"), label: "has nothing to act on", help: "remove it")
    }
    check(columns: parser.columns, beside: type(of: annotator).columns, &findings)
    if let classes = parser.classCount { findings.declare(Fact.classes, .int(Int64(classes)), of: "rows") }
    return findings
  }

  /// A parser's column must not take the place of what the rows are.
  private static func check(
    columns: [String], beside others: [String], _ findings: inout StageFindings
  ) {
    for column in columns where (["id", "prompt", "messages", "generations"] + others).contains(column) {
      findings.error(
        .wrongValue, "`parser` reads a column `\(column)`, which the rows have for something else",
        at: .option("parser"), label: "takes its place",
        help: "choose another name, such as `feedbacks` or `scores`")
    }
  }
}

extension RuleAnnotator {
  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    let place = StageFindings.Place.option("annotator.texts")
    for (index, text) in texts.enumerated() where text.isEmpty {
      findings.error(
        .wrongValue, "`texts` has an empty text for class \(index)", at: .option("annotator.texts.\(index)"),
        label: "empty")
    }
    guard column == "quantiles", let known = stage.artifact("rows")?.facts[Fact.classes]?.intValue else {
      return
    }
    if known > texts.count {
      findings.error(
        .unknownClass,
        "the rows have classes 0 to \(known - 1), but `texts` has \(texts.count) texts, for classes 0 to \(texts.count - 1)",
        at: place, label: "fewer than the rows have", help: "write \(known) texts, the best first")
    } else if known < texts.count {
      findings.warning(
        .unusedClass,
        "`texts` has \(texts.count) texts, but the rows have only classes 0 to \(known - 1)", at: place,
        label: "more than the rows have", help: "the other texts are never used")
    }
  }
}

extension ModelAnnotator {
  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    check(stage, below: "annotator.", &findings)
  }

  /// - Parameter path: below which its options stand.
  func check(_ stage: StageCheck, below path: String, _ findings: inout StageFindings) {
    let isAsked = findings.want(
      server: ServerDemand(path: path, prompts: prompts, filters: filters, stop: stop), at: "model",
      [.chat, .completions, .messages], in: stage)
    if !isAsked {
      findings.want(.language, at: "model", in: stage)
      findings.want(
        prompts.length, below: path, promptsAt: "rows", readBy: ["model"],
        beside: (maxNewTokens, "max_new_tokens"), in: stage)
      findings.want(chat: prompts.chat, at: "\(path)chat", model: "model", in: stage)
    }
    check(question, below: path, stage, &findings)
    if schemaPath != nil {
      do { _ = try schema() } catch {
        findings.error(
          .wrongValue, "\(error)", at: .option("\(path)schema"), label: "no schema that is understood",
          inInput: true)
      }
    }
    for (index, text) in stop.enumerated() where text.isEmpty {
      findings.error(
        .wrongValue, "`stop` contains an empty text, which every reply contains",
        at: .option("\(path)stop.\(index)"), label: "empty", help: "remove it")
    }
    if attempts > 1, temperature == 0, !isAsked {
      findings.error(
        .conflictingOptions,
        "`attempts` is \(attempts), but at `temperature` 0 each attempt gives the same reply",
        at: .option("\(path)attempts"), label: "has nothing to act on",
        help: "write a `temperature` above 0, or remove it")
    }
    if let context = stage.artifact("model")?.facts[Fact.context]?.intValue, maxNewTokens >= context {
      findings.error(
        .wrongValue,
        "`max_new_tokens` is \(maxNewTokens), but the model's context is \(context) tokens, the question's included",
        at: .option("\(path)max_new_tokens"), label: "leaves no room for a question", help: "lower it")
    }
  }

  /// The template and its fields.
  private func check(
    _ question: QuestionTemplate, below path: String, _ stage: StageCheck, _ findings: inout StageFindings
  ) {
    for (name, part) in question.fields {
      for problem in part.problems("fields.\(name)") {
        findings.error(
          problem.code, problem.message, at: .option("\(path)\(problem.option)"), label: problem.label,
          help: problem.help)
      }
    }
    let place = StageFindings.Place.option("\(path)template")
    let template: PromptTemplate
    do {
      template = try PromptTemplate(question.source)
    } catch {
      findings.error(.badTemplate, "`template`: \(error)", at: place)
      return
    }
    for (name, _) in question.fields
    where !template.fieldNames.contains(where: { UTF8Key($0) == UTF8Key(name) }) {
      findings.warning(
        .unusedInput, "`fields` makes `\(name)`, which `template` does not name",
        at: .option("\(path)fields.\(name)"), label: "not used", help: "write `{\(name)}`, or remove it")
    }
    for name in template.fieldNames where question.field(name) == nil {
      check(column: name, place, among: question.fields.map(\.name), stage, &findings)
    }
    for (name, part) in question.fields {
      check(column: part.from, .option("\(path)fields.\(name)"), among: [], stage, &findings)
    }
    findings.want(
      markersOf: [("\(path)template", template.literal.text)], promptsAt: "rows", readBy: "model",
      in: stage)
  }

  /// A column that a question is made of.
  private func check(
    column name: String, _ place: StageFindings.Place, among fields: [String], _ stage: StageCheck,
    _ findings: inout StageFindings
  ) {
    if name == QuestionTemplate.generation { return }
    let first = QuestionTemplate.firstMember(of: name)
    for rows in stage.artifacts("rows") {
      if rows.lacks(name), rows.lacks(first) {
        findings.error(
          .unknownField, "`\(name)` is no column of the rows", at: place, label: "no such column",
          help: Suggestion.helpOrList(
            for: name, among: fields + [QuestionTemplate.generation] + rows.columns, what: "there are"))
      } else if rows.mayLack(name), rows.mayLack(first) {
        findings.warning(
          .unknownColumn, "no earlier stage declares the column `\(name)` for the rows at `rows`", at: place,
          label: "fails unless the rows have more columns than are declared",
          help: Suggestion.nearest(
            to: name, among: fields + [QuestionTemplate.generation] + rows.columns
          ).map { "did you mean `\($0)`?" })
      }
    }
  }
}
