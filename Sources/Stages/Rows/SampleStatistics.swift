// How many samples there are, and how the rewards and lengths of each class are distributed: the output `statistics`.

import Experiments
import JSON

/// Source: METHODS 1.7, stats and num_samples report; `get_data_statistics` of the ALT code: bins that all classes share, from the least to
/// the greatest of all; of each class the mean over prompts of each prompt's mean and standard deviation (divided by n), and how many samples
/// of a prompt fall into each bin on average over all prompts.
/// Deviations: a prompt without samples of a class is left out of that class's means, which would not be numbers; where there are no
/// prompts, the fewest samples are null.
struct SampleStatistics {
  static let option = StageOption<Int?>(
    "statistics", .optional(.object([bins.field]) { $0[bins] }), default: nil, addedLater: true,
    aliases: ["histograms", "stats"],
    summary:
      "write the output `statistics` too: how many samples there are, and of each class the means, deviations and histograms of rewards and lengths (the column `lengths`), `{bins: 100}`"
  )
  private static let bins = StageOption(
    "bins", .integer(1...1000), default: 100, aliases: ["num_bins"],
    summary: "bins of each histogram, shared by all classes")
  /// What it reads beside the classes.
  static let columns = ["rewards", "lengths"]

  private static let numbers =
    "`prompts`, `samples`, `fewest_samples` and `most_samples` of a prompt, `class_samples` by class; where there are rewards, `reward_edges` of the bins and of class 0, the best, `reward_mean_0`, `reward_std_0` and `reward_histogram_0`; where there are lengths the same as `length_…`"

  static let output = OutputPort("statistics", .metrics, summary: "with the option `statistics`: \(numbers)")
  static let outputOfPicked = OutputPort(
    "statistics", .metrics,
    summary:
      "with the option `statistics`: of the samples picked \(numbers); of the pool that they are picked from `pool_prompts`, `pool_samples`, `pool_fewest_samples` and `pool_most_samples`"
  )

  static func declaration(_ declaration: StageDeclaration, for options: JSON) -> StageDeclaration {
    (option.value(in: options) ?? nil) == nil ? declaration.leavingOut(output.name) : declaration
  }

  static func size(_ options: StageOptions) -> ArtifactSize {
    ArtifactSize(bytes: options[option].map { 1024 + 200 * $0 } ?? 0)
  }

  let table: ColumnTable
  /// How many classes there are.
  let classes: Int
  /// The class of each sample of a row, 0 the best and all below `classes`; nil of one that has none and is counted nowhere.
  let classesOf: (Row) throws -> [Int?]

  /// - Parameter pool: what the rows were picked from.
  func measure(_ rows: [Row], outOf pool: [Row]? = nil, bins: Int) throws -> JSON {
    let found = try rows.map(classesOf)
    var result = Self.counts(found)
    var samples = [Int](repeating: 0, count: classes)
    for number in found.joined() { if let number { samples[number] += 1 } }
    result.append(("class_samples", .array(samples.map { .int(Int64($0)) })))
    for (name, column) in [("reward", "rewards"), ("length", "lengths")]
    where table[column] == .sample && !rows.isEmpty && rows.allSatisfy({ $0.has(column) }) {
      let values = try rows.map { try numbers(of: $0, column) }
      result += distribution(of: name, values, found, bins: bins)
    }
    if let pool { result += Self.counts(try pool.map(classesOf)).map { ("pool_\($0.key)", $0.value) } }
    return .object(JSONObject(distinct: result))
  }

  private static func counts(_ found: [[Int?]]) -> [JSONObject.Member] {
    func number(_ value: Int?) -> JSON { value.map { .int(Int64($0)) } ?? .null }
    let counts = found.map { $0.count { $0 != nil } }.filter { $0 > 0 }
    return [
      ("prompts", number(counts.count)), ("samples", number(counts.reduce(0, +))),
      ("fewest_samples", number(counts.min())), ("most_samples", number(counts.max())),
    ]
  }

  /// Nil for a sample without the number.
  private func numbers(of row: Row, _ column: String) throws -> [Double?] {
    try SampleLists(row, table).required(column, of: row).enumerated().map { index, value in
      if value.isNull { return nil }
      guard let number = value.doubleValue, number.isFinite else {
        throw InputError(
          "row `\(row.id)`: entry \(index) of `\(column)` is \(value.kind); expected a finite number or null")
      }
      return number
    }
  }

  /// Sums run over rows and samples in their order.
  private func distribution(of name: String, _ values: [[Double?]], _ found: [[Int?]], bins: Int)
    -> [JSONObject.Member]
  {
    var (least, greatest) = (Double.infinity, -Double.infinity)
    for (row, classes) in zip(values, found) {
      for (value, number) in zip(row, classes) where number != nil {
        guard let value else { continue }
        least = min(least, value)
        greatest = max(greatest, value)
      }
    }
    guard least <= greatest else { return [] }
    let edges = HistogramEdges(from: least, to: greatest, bins: bins)
    var tallies = [Tally](repeating: Tally(bins: bins), count: classes)
    for (row, classes) in zip(values, found) {
      var own: [Int: [Double]] = [:]
      for (value, number) in zip(row, classes) {
        if let value, let number { own[number, default: []].append(value) }
      }
      // Each class has sums of its own, so that their order does not matter.
      for (number, values) in own { tallies[number].add(values, edges) }
    }
    let promptCount = Double(found.count { $0.contains { $0 != nil } })
    var result: [JSONObject.Member] = [("\(name)_edges", .array(edges.values.map { .double($0) }))]
    for (number, tally) in tallies.enumerated() {
      result += [
        ("\(name)_mean_\(number)", tally.mean(tally.means)),
        ("\(name)_std_\(number)", tally.mean(tally.deviations)),
        ("\(name)_histogram_\(number)", .array(tally.histogram.map { .double(Double($0) / promptCount) })),
      ]
    }
    return result
  }
}

/// Of one class, over prompts.
private struct Tally {
  /// Prompts that have samples of it.
  private var prompts = 0
  /// Sums of their means and deviations.
  private(set) var (means, deviations) = (0.0, 0.0)
  private(set) var histogram: [Int]

  init(bins: Int) { histogram = [Int](repeating: 0, count: bins) }

  /// A prompt's samples.
  mutating func add(_ values: [Double], _ edges: HistogramEdges) {
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    prompts += 1
    means += mean
    deviations += variance.squareRoot()
    for value in values { histogram[edges.bin(of: value)] += 1 }
  }

  func mean(_ sum: Double) -> JSON { prompts > 0 ? .double(sum / Double(prompts)) : .null }
}

/// Source: `linspace` and `histogram` of numpy: equally wide bins that hold their lower edge, the last one its upper edge too.
struct HistogramEdges {
  /// One more than bins.
  let values: [Double]

  /// - Precondition: `from` is at most `to`, and there is a bin.
  init(from least: Double, to greatest: Double, bins: Int) {
    // Halves, so that the width is finite where the numbers are.
    let width = (greatest / 2 - least / 2) / Double(bins) * 2
    values = (0..<bins).map { width * Double($0) + least } + [greatest]
  }

  /// - Precondition: inside the edges.
  func bin(of value: Double) -> Int {
    var (low, high) = (0, values.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if values[middle] <= value { low = middle } else { high = middle }
    }
    return low
  }
}
