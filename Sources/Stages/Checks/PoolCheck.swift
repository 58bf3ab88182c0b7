// `quantize` and `pool`, before they run: the column of classes, and which classes there are.

import Experiments
import JSON

extension QuantizeStage {
  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    let rows = stage.artifacts("rows")
    if rows.count == 1, !stage.isBound("history"), let count = rows[0].facts[Fact.rows] {
      findings.declare(Fact.rows, count, of: "rows")
    }
    findings.declare(Fact.classes, .int(Int64(stage.options[Self.classes])), of: "rows")
    findings.pass(rows + stage.artifacts("history"), to: "rows", where: Fact.isOfFields)
    return findings
  }
}

extension PoolStage {
  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    let options = stage.options
    let column = options[by]
    for port in ["rows", "history"] {
      findings.want(
        column: column.rawValue, of: port, in: stage, because: "`by: \(column.rawValue)`",
        help: column == .quantiles ? "`quantize` gives it" : "a stage before this one must give it")
    }
    if options[maxTokens] != nil {
      for port in ["rows", "history"] {
        findings.want(
          column: "lengths", of: port, in: stage, because: "`max_tokens`", help: "`sample` gives it")
      }
    }
    if options[perClass] != nil, options[perPrompt] != nil {
      findings.error(
        .conflictingOptions, "`per_class` and `per_prompt` are two rules for one choice",
        at: .option("per_prompt"), label: "beside `per_class`", help: "write one of them")
    }
    let classes = check(classes: options, column, known: knownClasses(stage), &findings)
    if let all = knownClasses(stage) { findings.declare(Fact.classes, .int(Int64(all)), of: "state") }
    if let classes { findings.declare(Fact.classes, .int(Int64(classes)), of: "rows") }
    for output in ["rows", "state"] {
      findings.pass(
        stage.artifacts("rows") + stage.artifacts("history"), to: output, where: Fact.isOfFields)
    }
    return findings
  }

  /// The most that one of the artifacts has.
  private static func knownClasses(_ stage: StageCheck) -> Int? {
    let all = (stage.artifacts("rows") + stage.artifacts("history")).map { $0.facts[Fact.classes]?.intValue }
    return all.contains(nil) ? nil : all.compactMap { $0 }.max()
  }

  /// How many classes the picked samples may have.
  private static func check(
    classes options: StageOptions, _ column: ClassColumn, known: Int?, _ findings: inout StageFindings
  ) -> Int? {
    let listed = options[classes]
    guard !listed.isEmpty else {
      if column != .quantiles || options[perPrompt] != nil {
        findings.error(
          .conflictingOptions,
          column == .quantiles
            ? "`per_prompt` needs the classes to divide among in `classes`, which is empty"
            : "`by: \(column.rawValue)` needs the classes in `classes`, which is empty",
          at: .option(column == .quantiles ? "per_prompt" : "by"), label: "`classes` is missing",
          help: "list the classes, best first: `classes: […]`")
      }
      return known
    }
    for (index, value) in listed.enumerated() {
      let place = StageFindings.Place.option("classes.\(index)")
      let isText = value.stringValue != nil
      if isText != (column == .feedbacks) {
        findings.error(
          .wrongValue,
          "`classes` holds \(value.text()), but `\(column.rawValue)` are \(column == .feedbacks ? "texts" : "integers")",
          at: place, label: isText ? "a text" : "an integer")
      } else if listed[..<index].contains(value) {
        findings.error(
          .wrongValue, "`classes` holds \(value.text()) twice", at: place, label: "given twice")
      } else if column == .quantiles, let known, let number = value.intValue, number >= known {
        findings.error(
          .unknownClass, "`classes` names class \(number), but the rows have classes 0 to \(known - 1)",
          at: place, label: "no such class")
      }
    }
    guard column == .quantiles else { return known }
    let fills = options[fill] == .any && options[perPrompt] != nil
    // One beyond those known has been reported.
    return fills ? known : listed.compactMap(\.intValue).max().map { min($0 + 1, known ?? $0 + 1) }
  }
}
