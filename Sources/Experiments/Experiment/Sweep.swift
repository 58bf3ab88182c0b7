// A sweep as values: which parameters are varied, over what, how trials are chosen, and what is measured of them.

import JSON
import Search

package struct Sweep: Sendable {
  /// Ends trials of a loop before its last iteration.
  package struct EarlyEnd: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
      /// Successive halving of cohorts; what it decides follows from the metrics alone.
      case halving
      /// Against the trials that finished, up to k - lag; follows from the metrics alone.
      case median
      /// Successive halving against those that arrived before: depends on the order in which trials arrive.
      case asha
    }

    package var kind: Kind
    package var loop: String
    /// Iterations that every trial gets.
    package var least = 1
    /// One in so many goes on from each rung; not of `median`.
    package var factor = 3
    /// Trials that are compared with each other; of `halving`.
    package var cohort = 9
    /// Finished trials that there must be; of `median`.
    package var leastTrials = 5
  }

  package enum Failures: String, Sendable, CaseIterable { case count, stop }

  package var method: SearchMethod
  /// Of `list` without parameters.
  package var space: Space
  /// What is varied, in the order written.
  package var names: [String]
  /// The end of a method that has none of its own.
  package var trials: Int?
  /// Of the draws.
  package var seed = 0
  /// Trial k is suggested from the outcomes of trials up to k - lag.
  package var lag = 4
  /// A name under `metrics:`.
  package var metric: String?
  package var goal: Goal?
  /// Every trial is run once for each combination of these; tables group over them.
  package var repeats: [(name: String, values: [JSON])] = []
  package var earlyEnd: EarlyEnd?
  /// What a trial that failed does to the sweep.
  package var failures = Failures.count
  /// What was written, but for `trials` of a method without an end, `repeat` and `failures`: names the sweep.
  package var definition: JSON
  package var span: SourceSpan

  /// Every combination of the repeated values, the last name fastest; one without names where nothing is repeated.
  package var repetitions: [JSONObject] {
    repeats.reduce([JSONObject()]) { combinations, axis in
      combinations.flatMap { combination in
        axis.values.map { JSONObject(combination.members + [(axis.name, $0)]) }
      }
    }
  }

  /// Its trials from the first on.
  package func sequence() throws(SearchError) -> TrialSequence {
    try TrialSequence(space, method, seed: seed, goal: goal ?? .minimize, lag: lag)
  }
}
