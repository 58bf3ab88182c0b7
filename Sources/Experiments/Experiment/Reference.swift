// What a name means, seen from the place where it stands: before anything is unrolled.

/// What a name in `in:` means.
package enum Reference: Sendable, Equatable {
  case null
  /// Position in `Experiment.models`.
  case model(Int)
  /// A name that a loop carries: its position among those of the group `up` groups out, 0 being the innermost.
  case carried(up: Int, index: Int)
  case stages(StagePath, output: String)
  /// Already reported as wrong.
  case invalid
}

/// The way from a place in an experiment to a stage, or to several.
package struct StagePath: Sendable, Equatable {
  /// Groups to leave before going down; 0 begins among the members of the innermost one.
  package var up: Int
  package var steps: [Step] = []

  package enum Step: Sendable, Equatable {
    /// Position among the members.
    case member(Int)
    /// The cells of a matrix whose axes have these labels; an axis that is not here has any.
    case cells([AxisLabel])
    case iteration(Iteration)
  }

  package struct AxisLabel: Sendable, Equatable {
    package var axis: String
    package var label: String
  }

  package enum Iteration: Sendable, Equatable {
    /// The last that ran, where a loop may end early.
    case last
    /// 1-based.
    case number(Int)
    case all
  }
}
