// `score`: a number for each generation, made by one of the scorers.

import Experiments
import JSON
import Models

/// Ports, columns and traits are those of the scorer that the options name.
package struct ScoreStage: RowStage {
  package init() {}

  package static let rowsPort = "rows"

  private static let scorer = StageOption<any Scorer>(
    "scorer",
    .variant(
      scorers.map { scorer in
        OptionCase(scorer.kind, scorer.options, summary: scorer.summary) { scorer.init($0) }
      }), summary: "how the score is made")
  private static let column = StageOption(
    "column", .string, default: "rewards", addedLater: true, aliases: ["into", "as", "name"],
    summary: "the column that the scores are written to, such as `toxicity`; one of that name is replaced")

  package static let declaration = declared(
    inputs: .united(scorers.map { $0.inputs }), columns: ["generations"], numerics: .ofModels())

  package static func declaration(for options: JSON) -> StageDeclaration {
    let column = column.value(in: options) ?? "rewards"
    guard let named = scorer.value(in: options) else { return declaration }
    let kind = type(of: named)
    return declared(
      inputs: kind.inputs, columns: kind.columns, gives: column, isRandom: named.isRandom,
      numerics: kind.computes ? .ofModels() : nil, environment: named.environment)
  }

  package static var portsFollowOptions: Bool { true }

  private static func declared(
    inputs: [InputPort], columns: [String], gives column: String = "rewards", isRandom: Bool = false,
    numerics: Numerics?,
    environment: [String] = []
  ) -> StageDeclaration {
    StageDeclaration(
      name: "score",
      summary: "Scores each generation.",
      version: 2,
      inputs: inputs + [InputPort("rows", .rows, columns: columns, summary: "rows to score")],
      outputs: [
        OutputPort(
          "rows", .rows, passesThrough: "rows", samples: [column], summary: "the rows with their rewards")
      ],
      options: [scorer.field, Self.column.field],
      isRandom: isRandom, numerics: numerics, rowsAreIndependent: true, environment: environment,
      estimate: estimate)
  }

  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    findings.pass(stage.artifacts("rows"), and: stage.artifacts("model"), to: "rows")
    let scorer = stage.options[scorer]
    for name in scorer.columns {
      findings.want(
        column: name, of: "rows", in: stage, because: "the scorer `\(type(of: scorer).kind)`",
        help: "an earlier stage has to give it")
    }
    scorer.check(stage, &findings)
    let column = stage.options[column]
    if column.isEmpty || taken.contains(where: { UTF8Key($0) == UTF8Key(column) }) {
      findings.error(
        .wrongValue, "`column` is `\(column)`, which cannot hold scores", at: .option("column"),
        label: column.isEmpty ? "empty" : "belongs to the row", help: "write another name, such as `toxicity`"
      )
    }
    return findings
  }

  /// Columns without which rows are none.
  static let taken = ["id", "prompt", "generations", "messages", ModelText.literalsColumn]

  private static func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    var estimate = input.options[scorer].estimate(input)
    var rows = input.input("rows")
    rows.bytes = rows.bytes.map { $0 &+ (rows.items ?? 0).multipliedReportingOverflow(by: 20).partialValue }
    estimate.outputs = ["rows": rows]
    return estimate
  }

  package func itemCount(of row: Row, options: StageOptions) throws -> Int { try row.generationCount() }

  package func process(
    _ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void
  ) throws {
    try context.options[Self.scorer].score(items, context) { try emit($0, $1.json) }
  }

  package func report(_ results: [[JSON]], to context: StageContext) {
    let scores = results.joined().map { Score($0) }
    context.leaveOut(scores.count { $0 == .leftOut }, "texts that are too long")
    context.leaveOut(scores.count { $0 == .missing }, "generations without a score")
    context.cut(scores.count { if case .rewardOfCutText = $0 { true } else { false } }, "texts")
  }

  package func assemble(_ row: Row, results: [JSON], options: StageOptions) throws -> Row? {
    var row = row
    row[options[Self.column]] = .array(results.map { Score($0).reward.map { .double($0) } ?? .null })
    return row
  }
}
