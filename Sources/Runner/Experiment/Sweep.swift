// A sweep as values: which parameters are varied, over what, and how trials are chosen.

import JSON

package struct Sweep: Sendable {
  package enum Method: String, Sendable, CaseIterable { case grid, list, random, tpe }

  package struct Parameter: Sendable {
    package var name: String
    package var range: Range
    package var span: SourceSpan
  }

  package enum Range: Sendable {
    case values([JSON])
    /// Both ends included.
    case uniform(Double, Double)
    case logUniform(Double, Double)
    /// Both ends included.
    case integers(Int, Int)
  }

  package enum Goal: String, Sendable, CaseIterable { case maximize, minimize }

  /// Asynchronous successive halving over the iterations of a loop.
  package struct EarlyTermination: Sendable {
    package var loop: String
    /// Iterations that every trial gets.
    package var least: Int
    /// One in so many goes on from each rung.
    package var factor: Int
  }

  package var method: Method
  package var parameters: [Parameter]
  /// For `list`: one value for each parameter, trial by trial.
  package var list: [[JSON]] = []
  /// For `random` and `tpe`.
  package var trials: Int?
  /// A name under `metrics:`.
  package var metric: String?
  package var goal: Goal?
  /// Every trial is run once for each combination of these; tables group over them.
  package var repeats: [(name: String, values: [JSON])] = []
  package var earlyTermination: EarlyTermination?
  package var span: SourceSpan
}
