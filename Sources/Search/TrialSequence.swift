// The trials of a search, one after the other, each a function of the search and of outcomes long before it.

import JSON

package struct Trial: Sendable, Equatable {
  /// From 0.
  package let number: Int
  /// The parameters that exist, in the order declared.
  package let values: JSONObject

  package static func == (a: Trial, b: Trial) -> Bool {
    a.number == b.number && JSON.object(a.values) == .object(b.values)
  }
}

package enum SearchMethod: Sendable {
  /// Every combination of the values.
  case grid
  /// These trials; the space is not read.
  case list([JSONObject])
  /// From the distributions as they are declared, without an end.
  case random
  /// Another number of trials is another design, with other trials.
  case latinHypercube(trials: Int)
  /// Without an end.
  case tpe(TPE)
}

/// The trials of a search.
///
/// Trial k is a function of the space, the method, the seed, its number k, the lag, and the first outcomes of the trials 0 to k - lag.
/// So a second outcome of a trial is not read, and outcomes may come early, late and in any order: a retry, other workers, more trials or an interruption
/// change no suggestion. With a lag of n, n trials can run at a time without waiting.
package struct TrialSequence: Sendable {
  package enum Step: Sendable, Equatable {
    case trial(Trial)
    /// The next trial needs the outcome of this one, the first that is missing.
    case waits(for: Int)
    case end
  }

  private let space: Space
  private let method: SearchMethod
  private let seed: Int
  private let goal: Goal
  private let lag: Int
  /// Trials that do not depend on outcomes, where there is a last one.
  private let planned: [JSONObject]
  private let design: LatinHypercube?
  /// For TPE, of the trials suggested.
  private var points: [Point] = []
  /// Of the first trials, as far as none is missing.
  private var ranks: [Rank] = []
  private var outcomes: [Int: Outcome] = [:]
  /// Those suggested.
  package private(set) var trials: [Trial] = []

  /// - Throws: `SearchError` where the method does not suit the space.
  package init(
    _ space: Space, _ method: SearchMethod, seed: Int, goal: Goal = .minimize, lag: Int = 4
  ) throws(SearchError) {
    precondition(lag >= 1, "a lag of \(lag); expected at least 1")
    self.space = space
    self.method = method
    self.seed = seed
    self.goal = goal
    self.lag = lag
    switch method {
    case .grid: planned = try Grid.points(of: space).map(space.values(of:))
    case .list(let trials):
      guard !trials.isEmpty else { throw .emptyList }
      planned = trials
    case .random, .latinHypercube, .tpe: planned = []
    }
    if case .latinHypercube(let trials) = method {
      design = try LatinHypercube(trials: trials, of: space, seed: seed)
    } else {
      design = nil
    }
  }

  /// How many trials there are; nil where there is no last one.
  package var count: Int? {
    switch method {
    case .grid, .list: planned.count
    case .latinHypercube(let trials): trials
    case .random, .tpe: nil
    }
  }

  /// The first outcome of a trial counts, whether the trial was suggested already or not; others are not read.
  package mutating func record(_ outcome: Outcome, of trial: Int) {
    if outcomes[trial] == nil { outcomes[trial] = outcome }
  }

  /// The next trial, which then belongs to `trials`.
  /// - Throws: `SearchError.noneMeetsConstraints`, each time that it is asked.
  package mutating func next() throws(SearchError) -> Step {
    let number = trials.count
    if let count, number >= count { return .end }
    let values: JSONObject
    switch method {
    case .grid, .list: values = planned[number]
    case .random: values = space.values(of: try space.draw(trial: number, seed: seed))
    case .latinHypercube:
      guard let design else { return .end }
      values = space.values(of: try design.point(trial: number, of: space, seed: seed))
    case .tpe(let tpe):
      let known = max(number - lag + 1, 0)
      // Random trials wait for nothing.
      while tpe.reads(known), ranks.count < known {
        guard let outcome = outcomes[ranks.count] else { return .waits(for: ranks.count) }
        ranks.append(Rank(outcome, goal))
      }
      let point = try tpe.point(
        trial: number, of: space, seed: seed, known: points[..<known], ranks: ranks, pending: points[known...]
      )
      points.append(point)
      values = space.values(of: point)
    }
    let trial = Trial(number: number, values: values)
    trials.append(trial)
    return .trial(trial)
  }
}
