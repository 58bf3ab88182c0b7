// How much higher a number of rows is than that of other rows of the same prompts, prompt by prompt.

import Experiments
import JSON

/// Of each prompt that has numbers in both, the mean of its generations' numbers less that of the baseline's; all prompts with the same weight.
/// Rows are paired by `id`.
/// Source: the paired difference of Miller, "Adding error bars to evals", 2024, section 4.2.
package struct PairedDifference {
  /// Of the prompts that have both, in the order of the rows.
  package let differences: [Double]
  /// Prompts that only one side has numbers for.
  package let unmatched: Int

  /// - Parameters:
  ///   - rows: the ids in their order, and of each the numbers of its generations, null where there is none.
  ///   - baseline: the same of the other rows.
  /// - Throws: `InputError` where a difference overflows.
  package init(
    _ rows: [(id: String, numbers: [Double?])], to baseline: [(id: String, numbers: [Double?])]
  ) throws {
    var earlier: [UTF8Key: Double?] = [:]
    for row in baseline { earlier.updateValue(Self.mean(of: row.numbers), forKey: UTF8Key(row.id)) }
    var differences: [Double] = []
    var prompts = earlier.count
    for row in rows {
      guard let known = earlier[UTF8Key(row.id)] else {
        prompts += 1
        continue
      }
      guard let known, let mean = Self.mean(of: row.numbers) else { continue }
      guard (mean - known).isFinite else {
        throw InputError("row `\(row.id)`: the difference to the baseline overflows")
      }
      differences.append(mean - known)
    }
    self.differences = differences
    unmatched = prompts - differences.count
  }

  /// Nil where no prompt has both.
  package var mean: ClusteredMean? { ClusteredMean(differences.map { [$0] }) }

  /// Of prompts whose number changed, how many have a higher one: a share with its interval.
  package var rises: (rose: Int, fell: Int) {
    (differences.count { $0 > 0 }, differences.count { $0 < 0 })
  }

  /// The share of all pairs that rose.
  package var shareRisen: ClusteredMean? { ClusteredMean(differences.map { [$0 > 0 ? 1 : 0] }) }

  private static func mean(of numbers: [Double?]) -> Double? {
    ClusteredMean([numbers.compactMap { $0 }])?.mean
  }
}
