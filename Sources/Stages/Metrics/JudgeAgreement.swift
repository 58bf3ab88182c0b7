// How far a judge agrees with itself over the same comparison.

/// Source: Fleiss, "Measuring nominal scale agreement among many raters", 1971. Deviation: comparisons may have different numbers of verdicts, since
/// replies that cannot be read are none; one with fewer than two says nothing and is left out.
struct JudgeAgreement: Equatable {
  /// The share of pairs of verdicts over one comparison that are the same, in the mean over comparisons.
  let agreement: Double
  /// 1 for full agreement, 0 for that of chance; nil where all verdicts are the same, so that chance agrees fully too.
  let kappa: Double?

  /// - Parameter verdicts: of each comparison: 1 for the generation, 0 for the baseline, 0.5 for a tie.
  /// - Returns: nil where no comparison has two.
  init?(_ verdicts: [[Double]]) {
    let categories = [1.0, 0.5, 0.0]
    let counted = verdicts.filter { $0.count > 1 }.map { verdicts in
      categories.map { category in Double(verdicts.count { $0 == category }) }
    }
    guard !counted.isEmpty else { return nil }
    let agreements = counted.map { counts in
      let total = counts.reduce(0, +)
      return counts.reduce(0) { $0 + $1 * ($1 - 1) } / (total * (total - 1))
    }
    let agreement = agreements.reduce(0, +) / Double(counted.count)
    let all = counted.reduce(0) { $0 + $1.reduce(0, +) }
    let chance = categories.indices.reduce(0.0) { sum, category in
      let share = counted.reduce(0) { $0 + $1[category] } / all
      return sum + share * share
    }
    self.agreement = agreement
    kappa = chance < 1 ? (agreement - chance) / (1 - chance) : nil
  }
}
