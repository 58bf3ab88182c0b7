// `accuracy`: how often rewards agree with which generation of a prompt is preferred.

import Experiments
import JSON
import Models

/// A pair is two generations of a row of which one is preferred: by the numbers in the column `preferences`, or, where the rows have none,
/// the first generation to each of the others. The rewards agree where the preferred one's is strictly higher; a tie does not. Beside it
/// stands what always taking the longer one, in characters, would give.
///
/// Source: METHODS 1.5, accuracy. Deviation: `score` reads each text at its own last token, where the original reads both at the same
/// position. Pairs of equal texts are left out as there; its other filters are those of `data`.
struct AccuracyMetric: Metric {
  static let name = "accuracy"
  static let summary =
    "how often the preferred of two generations has the higher of `rewards`, by the column `preferences`, or the first of a row being preferred, (`accuracy`), beside how often it has more characters (`accuracy_longer`), and of how many pairs (`accuracy_pairs`)"
  let columns = [(name: "rewards", source: "`score` gives it")]

  static let preferences = "preferences"

  init(_ options: StageOptions) {}

  func numbers(for options: JSON) -> [String] {
    ["accuracy", "accuracy_longer"].flatMap { MeanNumbers.names($0, options) } + ["accuracy_pairs"]
  }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    var (equal, unscored) = (0, 0)
    // Of each prompt, by pair.
    var (right, longer): ([[Double]], [[Double]]) = ([], [])
    var isByColumn: Bool?
    for row in generations.rows {
      let samples = try SampleLists(row, generations.table)
      let texts = (samples["generations"] ?? []).map { $0.stringValue ?? "" }
      let rewards = try rewardList(of: row, generations.table)
      let preferences = try preferences(of: row, samples, generations.table)
      guard isByColumn ?? (preferences != nil) == (preferences != nil) else {
        throw InputError(
          "row `\(row.id)`: some rows have a column `\(Self.preferences)`, and others have none")
      }
      isByColumn = preferences != nil
      right.append([])
      longer.append([])
      for (better, worse) in Self.pairs(samples.count, preferences) {
        if texts[better].utf8.elementsEqual(texts[worse].utf8) {
          equal += 1
          continue
        }
        guard let high = rewards[better], let low = rewards[worse] else {
          unscored += 1
          continue
        }
        let isLonger = texts[better].unicodeScalars.count > texts[worse].unicodeScalars.count
        right[right.count - 1].append(high > low ? 1 : 0)
        longer[longer.count - 1].append(isLonger ? 1 : 0)
      }
    }
    context.leaveOut(equal, "pairs of equal texts")
    context.leaveOut(unscored, "pairs without rewards")
    let pairs = right.reduce(0) { $0 + $1.count }
    context.log(
      "accuracy of \(pairs) pairs, "
        + (isByColumn == true
          ? "by the column `\(Self.preferences)`" : "the first generation of a row being preferred"))
    guard pairs > 0 else {
      throw InputError(
        "\(generations.path): no row has two generations with rewards of which one is preferred")
    }
    return try MeanNumbers.values(ofShare: ClusteredMean(right), context)
      + MeanNumbers.values(ofShare: ClusteredMean(longer), context) + [.int(Int64(pairs))]
  }

  /// Nil where the rows have no such column.
  private func preferences(of row: Row, _ samples: SampleLists, _ table: ColumnTable) throws -> [Double?]? {
    guard row[Self.preferences] != nil else { return nil }
    return try samples.required(Self.preferences, of: row).enumerated().map { index, value in
      if value.isNull { return nil }
      guard let number = value.doubleValue, number.isFinite else {
        throw InputError(
          "row `\(row.id)`: entry \(index) of `\(Self.preferences)` is \(value.kind); expected a finite number or null"
        )
      }
      return number
    }
  }

  /// Every two generations of which one is preferred: its place first.
  private static func pairs(_ count: Int, _ preferences: [Double?]?) -> [(better: Int, worse: Int)] {
    guard let preferences else { return count < 2 ? [] : (1..<count).map { (0, $0) } }
    return preferences.indices.flatMap { better in
      preferences.indices.compactMap { worse in
        guard let high = preferences[better], let low = preferences[worse], high > low else { return nil }
        return (better, worse)
      }
    }
  }
}
