// `pool`: which samples to train on, and which to keep for the next iteration.

import Experiments
import JSON

/// Source: METHODS 1.7: `get_samples` is the port `rows`, `flush` the port `state`. Flushing here, when the
/// pool is handed on, is flushing there, when it is loaded again: both see the same classes.
/// Deviations: a sample without a class is dropped; a class without samples gives nothing.
package struct PoolStage: Stage {
  package init() {}

  /// The column that holds each sample's class.
  enum ClassColumn: String, CaseIterable { case quantiles, feedbacks, scores }
  /// What is taken where the classes have too few samples for their quotas.
  enum Fill: String, CaseIterable { case listed, any }

  static let by = StageOption(
    "by", .choice(ClassColumn.self), default: "quantiles",
    summary: "the column that holds each sample's class")
  static let classes = StageOption(
    "classes",
    .list(
      .either(.mapped(.string) { JSON.string($0) }, .mapped(.integer(0...1000)) { .int(Int64($0)) }),
      count: 0...1000), default: [],
    summary: "the classes, best first; for quantiles they are known and the list may be empty")
  static let perClass = StageOption(
    "per_class", .optional(.integer(1...1_000_000)), default: nil,
    aliases: ["num_samples_per_quantile", "samples_per_class", "n"],
    summary: "samples of each class of each prompt; null takes all")
  static let perPrompt = StageOption(
    "per_prompt", .optional(.integer(1...1_000_000)), default: nil,
    summary:
      "samples of each prompt in equal quotas over `classes`; what one class lacks is taken from the next"
  )
  static let fill = StageOption(
    "fill", .choice(Fill.self), default: "listed", original: "any",
    summary:
      "with `per_prompt`: whether what is still missing is filled with samples of listed classes only, or of any class"
  )
  static let maxTokens = StageOption(
    "max_tokens", .optional(.integer(1...1_000_000)), default: nil, original: 64,
    summary: "prefer samples with fewer tokens than this, by the column `lengths`: longer ones were cut off")
  private static let drop = StageOption(
    "drop", .number(0...1), default: 1.0, aliases: ["drop_factor", "forget"],
    summary: "the share of the pool that is dropped before the next iteration; 1 is purely on-policy")

  package static let declaration = StageDeclaration(
    name: "pool",
    summary: "Picks a balanced set of samples to train on, and passes the pool to the next iteration.",
    version: 2,
    inputs: [
      InputPort(
        "rows", .rows, columns: ["generations"], collects: true,
        summary: "samples with classes; with several artifacts, the samples of each prompt are joined"),
      InputPort(
        "history", .rows, required: false, columns: ["generations"],
        summary:
          "an earlier `state`, put before the rows with its classes unchanged; where classes are computed "
          + "again from rewards, bind it to `quantize` instead"),
    ],
    outputs: [
      OutputPort("rows", .rows, passesThrough: "rows", summary: "the samples picked, best class first"),
      OutputPort("state", .rows, passesThrough: "rows", summary: "the `history` of the next iteration"),
      SampleStatistics.outputOfPicked,
    ],
    options: [
      by.field, classes.field, perClass.field, perPrompt.field, fill.field, maxTokens.field, drop.field,
      SampleStatistics.option.field,
    ],
    isRandom: true, estimate: estimate)

  package static func declaration(for options: JSON) -> StageDeclaration {
    SampleStatistics.declaration(declaration, for: options)
  }

  package static var portsFollowOptions: Bool { true }

  package func run(_ context: StageContext) throws {
    let column = context.options[Self.by].rawValue
    let bins = context.options[SampleStatistics.option]
    let samples = try SampleRows(
      context, requiring: ["generations", column],
      reading: [column] + (context.options[Self.maxTokens] == nil ? [] : ["lengths"])
        + (bins == nil ? [] : SampleStatistics.columns))
    let table = samples.table
    let picker = try SamplePicker(options: context.options, table: table, seed: context.seed)
    let drop = context.options[Self.drop]
    var (withoutPrompts, unclassed, unlisted, pickedCount) = (0, 0, 0, 0)
    // For statistics only.
    var (pool, picked): ([Row], [Row]) = ([], [])
    try writeRows(to: context.output("rows", .rows)) { rows in
      try writeRows(to: context.output("state", .rows)) { state in
        try samples.each { row in
          let parsed = try picker.samples(of: row)
          unclassed += parsed.unclassedCount
          guard let own = try picker.withClassesOnly(parsed) else {
            withoutPrompts += 1
            return
          }
          unlisted += picker.unlistedCount(own)
          if bins != nil { pool.append(own.row) }
          if let chosen = try picker.picked(own) {
            pickedCount += chosen.list("generations")?.count ?? 0
            if bins != nil { picked.append(chosen) }
            try rows.append(chosen)
          }
          if let kept = picker.kept(own, drop: drop) { try state.append(kept) }
        }
      }
    }
    context.leaveOut(withoutPrompts, "prompts without a classed sample")
    context.leaveOut(unclassed, "samples without a class")
    context.leaveOut(unlisted, "samples of classes not listed")
    context.measure("picked_samples", Double(pickedCount))
    guard let bins else { return }
    let statistics = SampleStatistics(
      table: table, classes: try picker.classCount(pool), classesOf: picker.classNumbers)
    try writeMetrics(
      try statistics.measure(picked, outOf: pool, bins: bins), to: context.output("statistics", .metrics))
  }
}

extension PoolStage {
  static let estimate: StageEstimate.Function = { input in
    let rows = input.input("rows")
    var picked = rows
    let options = input.options
    let listed = options[PoolStage.classes]
    let classes = Double(listed.isEmpty ? 5 : listed.count)
    let most =
      options[PoolStage.perPrompt].map(Double.init)
      ?? options[PoolStage.perClass].map { Double($0) * classes }
    if let most, let count = rows.rows, let items = rows.items, items > 0 {
      let taken = min(Double(items), most * Double(count))
      picked.items = Estimates.integer(taken)
      picked.bytes = rows.bytes.flatMap { Estimates.integer(Double($0) * taken / Double(items)) }
    }
    return StageEstimate(
      outputs: ["rows": picked, "state": rows, "statistics": SampleStatistics.size(options)],
      seconds: Estimates.reading(rows))
  }
}
