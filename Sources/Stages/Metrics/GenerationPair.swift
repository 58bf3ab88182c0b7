// Two generations of one prompt, one of the rows and one of a baseline.

import Experiments
import JSON

struct GenerationPair {
  let row: Row
  let sample: Int
  let generation: String
  let baseline: String
  /// Between white space.
  let words: Int
  let baselineWords: Int

  /// Of rows with the same `id`, the generations at the same places; what has no counterpart is not compared.
  /// - Throws: `InputError` naming the row.
  static func all(_ generations: Generations, _ baseline: Artifact) throws -> [GenerationPair] {
    let others = try Generations(baseline, requiring: ["generations"])
    let texts = Dictionary(
      others.rows.map { (UTF8Key($0.id), ($0["generations"]?.arrayValue ?? []).compactMap(\.stringValue)) },
      uniquingKeysWith: { first, _ in first })
    return generations.rows.flatMap { row in
      let own = (row["generations"]?.arrayValue ?? []).compactMap(\.stringValue)
      return zip(own, texts[UTF8Key(row.id)] ?? []).enumerated().map { sample, pair in
        GenerationPair(
          row: row, sample: sample, generation: pair.0, baseline: pair.1, words: pair.0.wordCount,
          baselineWords: pair.1.wordCount)
      }
    }
  }

  /// - Parameter values: of each comparison; nil for one without.
  static func byRow(_ comparisons: [GenerationPair], _ values: [Double?]) -> [[Double]] {
    var rows: [[Double]] = []
    for (comparison, value) in zip(comparisons, values) {
      if comparison.sample == 0 { rows.append([]) }
      if let value { rows[rows.count - 1].append(value) }
    }
    return rows
  }
}
