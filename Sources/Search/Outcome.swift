// How a trial ended, and how that compares with others.

package enum Goal: String, Sendable, CaseIterable {
  case minimize
  case maximize
}

package enum Outcome: Sendable, Equatable {
  /// The metric of a trial that was finished. One that is not finite counts as failed.
  case value(Double)
  /// The metric when an early end came, after so many iterations.
  case ended(iterations: Int, value: Double)
  case failed
}

/// The rank of an outcome, the better the less: finished trials by their metric, then trials that were ended, those with more
/// iterations first, then failed ones.
package struct Rank: Comparable, Sendable {
  private let kind: Int
  private let missingIterations: Int
  /// The metric, or its negative where more is better.
  let loss: Double

  package init(_ outcome: Outcome, _ goal: Goal) {
    func loss(_ value: Double) -> Double { goal == .minimize ? value : -value }
    switch outcome {
    case .value(let value) where value.isFinite: (kind, missingIterations, self.loss) = (0, 0, loss(value))
    case .ended(let iterations, let value) where value.isFinite:
      (kind, missingIterations, self.loss) = (1, -iterations, loss(value))
    case .value, .ended, .failed: (kind, missingIterations, self.loss) = (2, 0, 0)
    }
  }

  var isFailed: Bool { kind == 2 }

  package static func < (a: Rank, b: Rank) -> Bool {
    (a.kind, a.missingIterations, a.loss) < (b.kind, b.missingIterations, b.loss)
  }

  /// The places of these ranks from the best to the worst, equal ones in the order given.
  static func order(_ ranks: [Rank]) -> [Int] {
    ranks.indices.sorted { ranks[$0] == ranks[$1] ? $0 < $1 : ranks[$0] < ranks[$1] }
  }
}
