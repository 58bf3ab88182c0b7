// `quantize`: sorts samples into classes by reward, 0 the best.

import Experiments
import JSON

/// Source: METHODS 1.7, RM quantiles; ranked among all, samples of equal reward keep the order in which they were added, which the
/// column `added` carries from one pool to the next. Deviation: the default remainder rule is `spread` (hazard 12); samples
/// without a reward stay in their row with a null quantile instead of being removed, and are counted nowhere.
package struct QuantizeStage: Stage {
  package init() {}

  static let classes = StageOption(
    "classes", .integer(1...1000), default: 5,
    aliases: ["n", "quantiles", "num_quantiles", "n_quantiles", "num_classes", "bins"],
    summary: "how many classes")
  private static let scope = StageOption(
    "scope", .choice(Scope.self), default: "prompt",
    summary: "whether a sample is ranked among its prompt's samples or among all")
  private static let remainder = StageOption(
    "remainder", .choice(Remainder.self), default: "spread", original: "worst",
    summary:
      "where the samples left over by an uneven division go: one each to the best classes, or all to the worst"
  )

  private enum Scope: String, CaseIterable { case prompt, global }

  package static let declaration = StageDeclaration(
    name: "quantize",
    summary: "Sorts samples into equally large classes by reward; class 0 is the best.",
    version: 2,
    inputs: [
      InputPort(
        "rows", .rows, columns: ["generations", "rewards"], collects: true,
        summary: "scored samples; with several artifacts, the samples of each prompt are joined"),
      InputPort(
        "history", .rows, required: false, columns: ["generations", "rewards"],
        summary: "an earlier pool; its samples are put before the new ones and sorted with them"),
    ],
    outputs: [
      OutputPort(
        "rows", .rows, passesThrough: "rows", samples: ["quantiles"], summary: "the samples with classes"),
      SampleStatistics.output,
    ],
    options: [classes.field, scope.field, remainder.field, SampleStatistics.option.field], estimate: estimate)

  /// Numbers samples in the order in which they were added to the pool.
  static let added = "added"

  package static func declaration(for options: JSON) -> StageDeclaration {
    let declaration = SampleStatistics.declaration(declaration, for: options)
    return scope.value(in: options) == .global ? declaration.giving("rows", samples: [added]) : declaration
  }

  package static var portsFollowOptions: Bool { true }

  package func run(_ context: StageContext) throws {
    let options = context.options
    let perPrompt = options[Self.scope] == .prompt
    let bins = options[SampleStatistics.option]
    let (classes, remainder) = (options[Self.classes], options[Self.remainder])
    let (columns, read) = (["generations", "rewards"], bins == nil ? ["rewards"] : SampleStatistics.columns)
    var table = ColumnTable()
    var withoutReward = 0
    // For statistics only.
    var result: [Row] = []
    try writeRows(to: context.output("rows", .rows)) { writer in
      func write(_ row: Row, _ classes: [Int?]) throws {
        var row = row
        row["quantiles"] = .array(classes.map { $0.map { .int(Int64($0)) } ?? .null })
        withoutReward += classes.count { $0 == nil }
        if bins != nil { result.append(row) }
        try writer.append(row)
      }
      if perPrompt {
        let samples = try SampleRows(context, requiring: columns, reading: read, without: "quantiles")
        let own = samples.table
        table = own
        try samples.each { row in
          try write(
            row, quantiles(of: try rewardList(of: row, own), classes: classes, remainder: remainder))
        }
      } else {
        let joined = try joinedSamples(
          context, requiring: columns, reading: read, without: "quantiles", numbering: Self.added)
        table = joined.table
        let found = try globalQuantiles(joined, classes: classes, remainder: remainder)
        for (row, classes) in zip(joined.rows, found) { try write(row, classes) }
      }
    }
    context.leaveOut(withoutReward, "samples without reward")
    guard let bins else { return }
    let statistics = SampleStatistics(table: table, classes: classes) {
      $0["quantiles"]?.arrayValue?.map(\.intValue) ?? []
    }
    try writeMetrics(try statistics.measure(result, bins: bins), to: context.output("statistics", .metrics))
  }
}

/// What happens to `count mod classes` samples.
package enum Remainder: String, CaseIterable, Sendable {
  /// The first `count mod classes` classes, the best ones, get one more: sizes differ by at most one. With
  /// fewer samples than classes the worst classes stay empty.
  case spread
  /// The worst class gets them all. With fewer samples than classes every sample is in the worst class.
  case worst
}

/// How many samples each class gets, best class first.
package func classSizes(count: Int, classes: Int, remainder: Remainder) -> [Int] {
  precondition(count >= 0 && classes >= 1, "\(count) samples in \(classes) classes")
  let (share, rest) = count.quotientAndRemainder(dividingBy: classes)
  return (0..<classes).map { index in
    switch remainder {
    case .spread: share + (index < rest ? 1 : 0)
    case .worst: share + (index == classes - 1 ? rest : 0)
    }
  }
}

/// The class of each reward: highest first, equal rewards in their own order (so that a tie may straddle a
/// boundary), null for null.
package func quantiles(of rewards: [Double?], classes: Int, remainder: Remainder) -> [Int?] {
  let order = rewards.indices.filter { rewards[$0] != nil }
    .sorted {
      let (a, b) = (rewards[$0] ?? 0, rewards[$1] ?? 0)
      return a != b ? a > b : $0 < $1
    }
  var result = [Int?](repeating: nil, count: rewards.count)
  var position = 0
  let sizes = classSizes(count: order.count, classes: classes, remainder: remainder)
  for (index, size) in sizes.enumerated() {
    for _ in 0..<size {
      result[order[position]] = index
      position += 1
    }
  }
  return result
}

/// Classes among all samples, by row; equal rewards in the order in which the samples were added.
private func globalQuantiles(
  _ joined: SampledRows, classes: Int, remainder: Remainder
) throws -> [[Int?]] {
  let rewards = try joined.rows.map { try rewardList(of: $0, joined.table) }
  var inOrder = [Double?](repeating: nil, count: rewards.reduce(0) { $0 + $1.count })
  let places = try joined.rows.map { row in
    try SampleLists(row, joined.table).required(QuantizeStage.added, of: row).map { $0.intValue ?? 0 }
  }
  for (rewards, places) in zip(rewards, places) {
    for (reward, place) in zip(rewards, places) { inOrder[place] = reward }
  }
  let found = quantiles(of: inOrder, classes: classes, remainder: remainder)
  return places.map { $0.map { found[$0] } }
}

extension QuantizeStage {
  static let estimate: StageEstimate.Function = { input in
    let rows = sum(input.input("rows"), input.input("history"))
    return StageEstimate(
      outputs: ["rows": rows, "statistics": SampleStatistics.size(input.options)],
      seconds: Estimates.reading(rows))
  }

  private static func sum(_ a: ArtifactSize, _ b: ArtifactSize) -> ArtifactSize {
    func add(_ a: Int?, _ b: Int?) -> Int? { a.map { $0 &+ (b ?? 0) } }
    return ArtifactSize(rows: add(a.rows, b.rows), items: add(a.items, b.items), bytes: add(a.bytes, b.bytes))
  }
}
