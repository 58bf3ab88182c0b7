// `normalize`: numbers of generations as standard scores, over all prompts or by prompt.

import Experiments
import JSON

/// Not a scorer: what a number becomes depends on those of all other rows.
package struct NormalizeStage: Stage {
  package init() {}

  private static let column = StageOption(
    "column", .string, default: "rewards",
    summary: "the column, with a number or null for each generation; null stays null")
  private static let into = StageOption(
    "into", .optional(.string), default: nil, aliases: ["as", "output"],
    summary: "the column that the standard scores are written to; null is `column` itself")
  private static let over = StageOption(
    "over", .choice(Scope.self), default: "all", aliases: ["scope", "by"],
    summary:
      "whose mean and standard deviation: of the numbers of all generations, or of those of the same `prompt`"
  )

  private enum Scope: String, CaseIterable { case all, prompt }

  package static let declaration = StageDeclaration(
    name: "normalize",
    summary:
      "Turns numbers into standard scores: less their mean, divided by their standard deviation (of the population; 0 where all are equal).",
    version: 1,
    inputs: [
      InputPort("rows", .rows, columns: ["generations"], summary: "rows with a number for each generation")
    ],
    outputs: [
      OutputPort(
        "rows", .rows, passesThrough: "rows", samples: [], summary: "the rows with standard scores")
    ],
    options: [column.field, into.field, over.field],
    estimate: { input in
      StageEstimate(
        outputs: ["rows": input.input("rows")], seconds: Estimates.reading(input.input("rows")))
    })

  package static func declaration(for options: JSON) -> StageDeclaration {
    guard let column = column.value(in: options) else { return declaration }
    return declaration.giving("rows", samples: [(into.value(in: options) ?? nil) ?? column])
  }

  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    findings.pass(stage.artifacts("rows"), to: "rows")
    let column = stage.options[column]
    findings.want(
      column: column, of: "rows", in: stage, because: "`column`",
      help: "`score` gives it with `column: \(column)`")
    if let into = stage.options[into],
      into.isEmpty || ScoreStage.taken.contains(where: { UTF8Key($0) == UTF8Key(into) })
    {
      findings.error(
        .wrongValue, "`into` is `\(into)`, which cannot hold scores", at: .option("into"),
        label: into.isEmpty ? "empty" : "belongs to the row", help: "write another name")
    }
    return findings
  }

  package func run(_ context: StageContext) throws {
    let column = context.options[Self.column]
    let into = context.options[Self.into] ?? column
    let input = context.input("rows")
    let rows = try readRows(
      input.path, requiring: ["generations", column], reading: ["generations", column])
    let numbers = try rows.map { try numberList(of: $0, column, input.columns) }
    let all = StandardScore(numbers.flatMap { $0.compactMap { $0 } })
    context.leaveOut(numbers.reduce(0) { $0 + $1.count { $0 == nil } }, "generations without \(column)")
    let isByPrompt = context.options[Self.over] == .prompt
    let scored = try zip(rows, numbers).map { row, numbers in
      try context.checkCancellation()
      let score = isByPrompt ? StandardScore(numbers.compactMap { $0 }) : all
      var row = row
      row[into] = .array(numbers.map { $0.map { .double(score.of($0)) } ?? .null })
      return row
    }
    try writeRows(scored, to: context.output("rows", .rows))
  }
}
