// An experiment as values: everything the file says, typed, with names resolved and places kept.

import JSON

package struct Experiment: Sendable {
  package var source: SourceFile
  /// Absolute, symbolic links resolved.
  package var projectRoot: String
  package var name: String
  package var description: String?
  package var seed: UInt64
  /// `bf16` or `fp32`
  package var numericMode: String
  /// With `--set` applied.
  package var parameters: [Parameter]
  package var models: [ModelEntry]
  /// In the order of the file.
  package var members: [Member]
  package var metrics: [MetricEntry]
  package var warnings: [Diagnostic] = []

  package struct Parameter: Sendable {
    package var name: String
    package var value: JSON
    package var span: SourceSpan
  }

  package struct ModelEntry: Sendable {
    package var model: PlanModel
    /// What names the model in recipe keys: its digest, else its path inside the project.
    package var identity: String
    package var span: SourceSpan
  }

  package enum Member: Sendable {
    case stage(StageEntry)
    case loop(LoopEntry)

    package var name: String {
      switch self {
      case .stage(let stage): stage.name
      case .loop(let loop): loop.name
      }
    }
  }

  /// One stage as written, before loops are unrolled.
  package struct StageEntry: Sendable {
    package var name: String
    package var nameSpan: SourceSpan
    /// `quark.train`, for messages.
    package var path: String
    package var declaration: StageDeclaration
    /// In the order in which the plug-in declares its ports.
    package var inputs: [Binding]
    /// Stages that must be done before, whose results are not used.
    package var needs: [Binding]
    package var options: DecodedOptions
    package var seed: UInt64?
    package var execution: ExecutionSettings
    package var description: String?
  }

  package struct LoopEntry: Sendable {
    package var name: String
    package var nameSpan: SourceSpan
    package var times: Int
    package var carries: [Carry]
    package var stages: [StageEntry]
    package var description: String?
  }

  package struct Carry: Sendable {
    package var name: String
    package var nameSpan: SourceSpan
    /// The value in iteration 1; seen from outside the loop.
    package var first: Reference
    package var firstSpan: SourceSpan
    /// What iteration k hands to k + 1; seen from inside.
    package var next: Reference
    package var nextSpan: SourceSpan
  }

  package struct Binding: Sendable {
    /// A declared port, or `needs`.
    package var port: String
    package var reference: Reference
    package var span: SourceSpan
  }

  package struct MetricEntry: Sendable {
    package var name: String
    package var stage: Reference
    /// `@all`: one value for each iteration. `stage` then names the last.
    package var isSeries: Bool
    package var output: String
    package var metric: String
    package var span: SourceSpan
  }
}

/// What a name in `in:` means. Numbers are positions in `Experiment.members`, `models`, or the loop's stages.
package enum Reference: Sendable, Equatable {
  case null
  case model(Int)
  /// A stage outside any loop.
  case stage(Int, output: String)
  /// A stage of the same loop, in the same iteration.
  case sibling(Int, output: String)
  /// A name the same loop carries.
  case carried(Int)
  /// A stage of a loop, seen from outside.
  case iteration(loop: Int, Iteration, stage: Int, output: String)
  /// Already reported as wrong.
  case invalid

  package enum Iteration: Sendable, Equatable {
    case last
    /// 1-based.
    case number(Int)
  }
}

/// The options of a stage after decoding.
package struct DecodedOptions: Sendable {
  /// Every declared option, defaults filled in; file options hold absolute paths.
  package var json: JSON
  /// Absolute paths by dotted option path.
  package var files: [(option: String, path: String)] = []
  /// Where each value that was written comes from, by dotted option path.
  package var origins: [(option: String, span: SourceSpan)] = []
}
