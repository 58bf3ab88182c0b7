// `annotate`: what someone says of each generation, from a rule, a model or a column of replies, read by a parser.

import Experiments
import JSON
import Models

/// Ports, columns and traits are those of the annotator and the parser that the options name.
///
/// Source: METHODS 1.6. Deviation: each sample says what became of its reply, and what cannot be read is null everywhere.
package struct AnnotateStage: RowStage {
  package init() {}

  package static let rowsPort = "rows"

  static let annotator = StageOption<any Annotator>(
    "annotator",
    .variant(
      annotators.map { annotator in
        OptionCase(annotator.kind, annotator.options, summary: annotator.summary) { annotator.init($0) }
      }), summary: "who says something of a generation")
  static let parser = StageOption<any ReplyParser>(
    "parser",
    .variant(
      replyParsers.map { parser in
        OptionCase(parser.kind, parser.options, summary: parser.summary) { parser.init($0) }
      }), default: ["kind": "text", "strip": false],
    summary: "what is read out of a reply, and into which columns; a rule's text is read as it is")
  static let failAbove = StageOption<Double?>(
    "fail_above", .optional(.number(0...1)), default: nil,
    summary:
      "the share of replies that may have another outcome than `parsed`, such as 0.02: with more the stage fails once all are there; null lets any number pass"
  )

  package static let declaration = declared(
    inputs: .united(annotators.map { $0.inputs }), reads: ["generations"], gives: ["feedbacks"],
    isRandom: true, numerics: .ofModels())

  package static func declaration(for options: JSON) -> StageDeclaration {
    guard let named = annotator.value(in: options) else { return declaration }
    let kind = type(of: named)
    return declared(
      inputs: kind.inputs, reads: named.columnsRead,
      gives: (parser.value(in: options)?.columns ?? []) + kind.columns, isRandom: named.isRandom,
      numerics: kind.computes ? .ofModels() : nil)
  }

  package static var portsFollowOptions: Bool { true }

  private static func declared(
    inputs: [InputPort], reads: [String], gives: [String], isRandom: Bool, numerics: Numerics?
  ) -> StageDeclaration {
    StageDeclaration(
      name: "annotate",
      summary: "Gives each generation feedback: from its class, from a model that is asked, or from replies.",
      version: 1,
      inputs: inputs + [InputPort("rows", .rows, columns: reads, summary: "rows with generations")],
      outputs: [
        OutputPort(
          "rows", .rows, passesThrough: "rows", samples: gives, summary: "the rows with their feedback")
      ],
      options: [annotator.field, parser.field, failAbove.field],
      isRandom: isRandom, numerics: numerics, rowsAreIndependent: true, estimate: estimate)
  }

  private static func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    let annotator = input.options[annotator]
    var estimate = annotator.estimate(input)
    var rows = input.input("rows")
    let items = Double(rows.items ?? rows.rows ?? 0)
    rows.bytes = rows.bytes.flatMap {
      Estimates.integer(Double($0) + items * Double(annotator.bytesPerReply + Estimates.bytesPerItem))
    }
    estimate.outputs = ["rows": rows]
    return estimate
  }

  package func itemCount(of row: Row, options: StageOptions) throws -> Int { try row.generationCount() }

  package func process(
    _ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void
  ) throws {
    let (annotator, parser) = (context.options[Self.annotator], context.options[Self.parser])
    let keepsReply = type(of: annotator).columns.contains("replies")
    try annotator.reply(to: items, context) { item, reply in
      let annotation = try Annotation(reply, to: item, parser, keepsReply: keepsReply)
      let isUsed = annotation.problem == nil || reply.isLast
      if isUsed { try emit(item, annotation.json) }
      return isUsed
    }
  }

  package func report(_ results: [[JSON]], to context: StageContext) throws {
    let annotations = results.joined().map { Annotation($0) }
    context.leaveOut(annotations.count { $0.outcome == nil }, "samples without a class")
    let asked = annotations.filter { $0.outcome != nil }
    guard type(of: context.options[Self.annotator]).columns.contains("outcomes"), !asked.isEmpty else {
      return
    }
    let counts = AnnotationOutcome.allCases.map { outcome in
      (outcome: outcome, count: asked.count { $0.outcome == outcome })
    }
    for (outcome, count) in counts where count > 0 {
      context.measure(outcome.noun.replacing(" ", with: "_"), Double(count))
    }
    let summary = counts.filter { $0.count > 0 }.map { "\($0.count) \($0.outcome.noun)" }
      .joined(separator: ", ")
    context.log("of \(asked.count): \(summary)")
    let truncated = asked.count { $0.isTruncated }
    if truncated > 0 { context.log("\(truncated) replies ended at `max_new_tokens`") }
    let repeated = asked.count { $0.attempts > 1 }
    if repeated > 0 { context.log("\(repeated) questions were asked more than once") }
    guard let example = asked.lazy.compactMap(\.problem).first else { return }
    let lost = asked.count { $0.outcome != .parsed }
    if let most = context.options[Self.failAbove], Double(lost) > most * Double(asked.count) {
      throw TooManyFailures(lost: lost, asked: asked.count, most: most, summary: summary, example: example)
    }
    context.log("the first that could not be read: \(example)")
  }

  package func assemble(_ row: Row, results: [JSON], options: StageOptions) throws -> Row? {
    let annotations = results.map { Annotation($0) }
    var row = row
    for (number, column) in options[Self.parser].columns.enumerated() {
      row[column] = .array(annotations.map { $0.values.indices.contains(number) ? $0.values[number] : .null })
    }
    for column in type(of: options[Self.annotator]).columns {
      row[column] = .array(
        annotations.map { annotation in
          let value = column == "replies" ? annotation.reply : annotation.outcome?.rawValue
          return value.map { .string($0) } ?? .null
        })
    }
    return row
  }
}

/// More replies than `fail_above` allows have no annotation.
private struct TooManyFailures: Error, CustomStringConvertible {
  let lost: Int
  let asked: Int
  let most: Double
  let summary: String
  let example: String

  var description: String {
    "\(lost) of \(asked) replies have no annotation, more than the share \(most) that `fail_above` allows: \(summary); the first: \(example); change what is asked or how it is read, or raise `fail_above`; to change the parser without asking again, ask with `parser: {kind: text}` and read in a second `annotate` of `kind: reply`"
  }
}
