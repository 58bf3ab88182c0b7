// `exemplar`: for each prompt a feedback of the best class, at random: what the next samples are asked to deserve.

import Experiments
import JSON
import Models

/// Source: METHODS 1.3, the exemplar of ALT-LMU, of which the originals have no code: a uniform draw, seeded by the prompt's id, from the
/// distinct feedbacks of the best class.
package struct ExemplarStage: Stage {
  package init() {}

  /// The column that holds each sample's class.
  enum ClassColumn: String, CaseIterable { case scores, quantiles, feedbacks }
  /// What happens where the best class has no feedback.
  enum Empty: String, CaseIterable { case next, fail }

  static let by = StageOption(
    "by", .choice(ClassColumn.self), default: "scores",
    summary: "the column that holds each sample's class: of scores the highest is the best, of quantiles 0")
  static let classes = StageOption(
    "classes",
    .list(
      .either(.mapped(.string) { JSON.string($0) }, .mapped(.integer(0...1000)) { .int(Int64($0)) }),
      count: 0...1000), default: [],
    summary:
      "the classes, best first, as in `pool`: a score by its integer part, a feedback without regard to upper and lower case; without any the best is the best that there is"
  )
  static let empty = StageOption(
    "empty", .choice(Empty.self), default: "next",
    summary:
      "where the best of `classes` has no feedback: the `next` one is taken, and the log and the record say so; or the stage fails"
  )

  package static let declaration = StageDeclaration(
    name: "exemplar",
    summary: "Draws for each prompt one of the feedbacks of the best class.",
    version: 1,
    inputs: [
      InputPort("prompts", .rows, summary: "the prompts that are to be sampled"),
      InputPort(
        "feedbacks", .rows, required: false, columns: ["feedbacks"],
        summary:
          "annotated samples, such as those of the iteration before; while there are none, each exemplar is null"
      ),
    ],
    outputs: [
      OutputPort(
        "rows", .rows, passesThrough: "prompts", columns: ["exemplar"],
        summary: "the prompts with their exemplars")
    ],
    options: [by.field, classes.field, empty.field], isRandom: true, estimate: estimate)

  package func run(_ context: StageContext) throws {
    var prompts = try readRows(context.input("prompts").path, requiring: [])
    let exemplars = try exemplars(context)
    for index in prompts.indices {
      prompts[index]["exemplar"] =
        exemplars.isEmpty ? .null : .string(draw(from: exemplars, for: prompts[index].id, context.seed))
    }
    if exemplars.isEmpty {
      context.log("there are no feedbacks yet: the exemplar of all \(prompts.count) prompts is null")
    }
    try writeRows(prompts, to: context.output("rows", .rows))
  }

  private func draw(from exemplars: [String], for id: String, _ seed: UInt64) -> String {
    let number = randomNumber(seed: seed, .drawExemplar, id: id, element: 0)
    // Scaling 64 random bits: off from uniform by less than exemplars.count / 2^64.
    return exemplars[Int(number.multipliedFullWidth(by: UInt64(exemplars.count)).high)]
  }

  /// The distinct feedbacks of the best class, in the order of their bytes; none where the port is unbound.
  /// - Throws: `InputError` where no class has one.
  private func exemplars(_ context: StageContext) throws -> [String] {
    guard let artifact = context.inputs["feedbacks"] else { return [] }
    let options = context.options
    let samples = try SampleClasses(
      artifact, by: options[Self.by].rawValue, isBestHigh: options[Self.by] == .scores, options[Self.classes])
    guard let (rank, texts) = samples.best else {
      throw InputError(
        "none of the \(samples.count) samples at `feedbacks` has a feedback and \(options[Self.classes].isEmpty ? "a class in `\(options[Self.by].rawValue)`" : "one of `classes`"); an earlier `annotate` says why"
      )
    }
    let name = samples.name(ofRank: rank)
    context.log("\(texts.count) distinct feedbacks of class \(name)")
    context.measure("exemplars", Double(texts.count))
    if rank > 0 {
      let missing = (0..<rank).map(samples.name).joined(separator: ", ")
      if options[Self.empty] == .fail {
        throw InputError(
          "no sample at `feedbacks` has a feedback of class \(missing), and `empty: fail` asks for one; `empty: next` takes class \(name)"
        )
      }
      context.log("warning: no feedback of class \(missing); class \(name) takes its place")
      context.measure("classes_without_feedback", Double(rank))
    }
    return texts
  }
}

/// The feedbacks of each class.
private struct SampleClasses {
  /// Best first.
  private let classes: [(name: String, texts: Set<UTF8Key>)]
  private(set) var count = 0

  /// - Throws: `InputError` naming the row.
  init(_ artifact: Artifact, by column: String, isBestHigh: Bool, _ listed: [JSON]) throws {
    guard column != "feedbacks" || !listed.isEmpty else {
      throw InputError("option `classes`: empty; expected the classes of `feedbacks`, best first")
    }
    var known: [(value: JSON, texts: Set<UTF8Key>)] = listed.map { ($0, []) }
    var places: [Double: Int] = [:]
    for row in try readRows(artifact.path, requiring: ["feedbacks", column]) {
      let lists = try SampleLists(row, artifact.columns)
      let (feedbacks, values) = (
        try lists.required("feedbacks", of: row), try lists.required(column, of: row)
      )
      count += feedbacks.count
      for (index, (feedback, value)) in zip(feedbacks, values).enumerated() where !value.isNull {
        guard !feedback.isNull else { continue }
        guard let text = feedback.stringValue else {
          throw InputError("row `\(row.id)`: feedback \(index) is \(feedback.kind); expected text or null")
        }
        guard value.doubleValue != nil || (column == "feedbacks" && value.stringValue != nil) else {
          throw InputError(
            "row `\(row.id)`: an entry of `\(column)` is \(value.kind); expected a number or null")
        }
        if text.isEmpty { continue }
        let place: Int?
        if listed.isEmpty {
          let number = value.doubleValue ?? 0
          if places[number] == nil {
            places[number] = known.count
            known.append((value, []))
          }
          place = places[number]
        } else {
          place = listed.firstIndex { Self.matches(value, $0) }
        }
        if let place { known[place].texts.insert(UTF8Key(text)) }
      }
    }
    if listed.isEmpty {
      known.sort {
        let (a, b) = ($0.value.doubleValue ?? 0, $1.value.doubleValue ?? 0)
        return isBestHigh ? a > b : a < b
      }
    }
    classes = known.map { ($0.value.intValue.map { String($0) } ?? $0.value.text(), $0.texts) }
  }

  /// As `pool` matches classes.
  private static func matches(_ value: JSON, _ named: JSON) -> Bool {
    if let text = value.stringValue {
      return named.stringValue?.lowercased().utf8.elementsEqual(text.lowercased().utf8) ?? false
    }
    guard let number = value.doubleValue, let name = named.intValue else { return false }
    return number.rounded(.towardZero) == Double(name)
  }

  /// The first class with a feedback, its texts in the order of their bytes.
  var best: (rank: Int, texts: [String])? {
    guard let rank = classes.firstIndex(where: { !$0.texts.isEmpty }) else { return nil }
    return (
      rank, classes[rank].texts.map(\.string).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    )
  }

  func name(ofRank rank: Int) -> String { classes[rank].name }
}

extension ExemplarStage {
  static let estimate: StageEstimate.Function = { input in
    var rows = input.input("prompts")
    rows.bytes = rows.bytes.map { $0 &+ (rows.rows ?? 0).multipliedReportingOverflow(by: 60).partialValue }
    return StageEstimate(outputs: ["rows": rows], seconds: Estimates.reading(rows))
  }
}
