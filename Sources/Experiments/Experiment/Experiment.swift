// An experiment as values: everything the file says, typed, with names resolved and places kept.

import JSON
import System

package struct Experiment: Sendable {
  /// The most stages that its loops and matrices may make.
  static let maximumStages = 100_000

  package var source: SourceFile
  /// Absolute, symbolic links resolved.
  package var projectRoot: String
  package var name: String
  package var description: String?
  package var seed: UInt64
  /// Whether `--set` gave the seed, of an experiment without a parameter called so.
  package var isSeedGiven = false
  /// Of stages that have none of their own; empty where no stage of the program computes.
  package var numericMode: String
  /// Where it asks for the defaults of the originals.
  package var compatibility: SourceSpan?
  /// With `--set` applied.
  package var parameters: [Parameter]
  package var models: [ModelEntry]
  /// In the order of the file.
  package var members: [Member]
  package var metrics: [MetricEntry]
  /// What must hold when all is done.
  package var expectations: [Condition] = []
  package var sweep: Sweep?
  package var tracking = Tracking()
  /// What it extends and includes, as read; absolute paths.
  package var otherFiles: [(path: String, file: SourceFile)] = []
  package var warnings: [Diagnostic] = []
  /// The facts of a model at a path, as the registry of its stages reads them.
  package var describeModel: @Sendable (_ path: String, _ config: String?, _ tokenizer: String?) -> JSON =
    { _, _, _ in .object(JSONObject()) }
  package var fetchedData: @Sendable (_ digest: Digest) -> [String]? = { _ in nil }
  package var fetchedModel: @Sendable (_ sha256: String, _ name: String) -> String? = { _, _ in nil }

  package struct Parameter: Sendable {
    package var name: String
    package var value: JSON
    package var span: SourceSpan
  }

  /// What a run of it is told apart by: the parameters, and the seed where it was given.
  package var settings: JSONObject {
    JSONObject(
      parameters.map { ($0.name, $0.value) } + (isSeedGiven ? [("seed", JSON.int(Int64(seed)))] : []))
  }

  package struct ModelEntry: Sendable {
    package var model: ModelReference
    /// What names the model in recipe keys: its digest, else its path inside the project.
    package var identity: String
    package var span: SourceSpan
  }

  /// What stands under one name in `stages:`. Members nest: a group holds members, and each cell of a matrix is one.
  package enum Member: Sendable {
    case stage(StageEntry)
    case group(GroupEntry)
    case matrix(MatrixEntry)

    package var name: String {
      switch self {
      case .stage(let stage): stage.name
      case .group(let group): group.name
      case .matrix(let matrix): matrix.name
      }
    }
  }

  /// One stage as written, before anything is unrolled.
  package struct StageEntry: Sendable {
    /// Tells it from all others of the experiment, cells of one matrix too.
    package var number = 0
    package var name: String
    package var nameSpan: SourceSpan
    /// `quark.train`, for messages.
    package var path: String
    package var declaration: StageDeclaration
    /// Nil after a mistake that has been reported.
    package var plugIn: (any Stage.Type)?
    /// In the order in which the plug-in declares its ports; a port that collects may stand here several times.
    package var inputs: [Binding]
    /// Stages that must be done before, whose results are not used.
    package var needs: [Binding]
    package var options: DecodedOptions
    package var seed: UInt64?
    package var numericMode: String
    package var execution: ExecutionSettings
    package var description: String?
  }

  /// Stages under one name; round and round if there is a loop, else once.
  package struct GroupEntry: Sendable {
    package var name: String
    package var nameSpan: SourceSpan
    package var loop: Loop?
    package var members: [Member]
    package var description: String?
  }

  package struct Loop: Sendable {
    package var times: Int
    package var carries: [Carry]
    /// Judged after each iteration; when all hold, the later iterations are skipped. Empty: never.
    package var until: [Condition]
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

  /// One member for each combination of the axes' values.
  package struct MatrixEntry: Sendable {
    package var name: String
    package var axes: [String]
    package var cells: [Cell]

    package struct Cell: Sendable {
      /// One for each axis, in the order of the axes.
      package var labels: [String]
      package var member: Member
    }
  }

  package struct Binding: Sendable {
    /// A declared port, or `needs`.
    package var port: String
    /// What an artifact of a port that collects is called by, where the file says so.
    package var label: String?
    package var reference: Reference
    package var span: SourceSpan
  }

  package struct MetricEntry: Sendable {
    package var name: String
    package var stage: Reference
    /// Addressed with `@all` or as several cells of a matrix: one value for each.
    package var isSeries: Bool
    /// Empty of what a loop carries, which may come from several.
    package var output: String
    package var metric: String
    package var span: SourceSpan
  }

  /// `{metric: …, above: …}`, under `expect:` or `until:`.
  package struct Condition: Sendable {
    package var metric: MetricEntry
    package var tests: [Test]
    package var span: SourceSpan

    package struct Test: Sendable {
      package var comparison: Comparison
      package var operand: Operand
    }
    package enum Operand: Sendable {
      case number(Double)
      case metric(MetricEntry)
    }
  }
}

/// How a metric is compared.
package enum Comparison: Sendable, Equatable {
  case above
  case below
  case atLeast
  case atMost
  case equals(within: Double)
}

/// The options of a stage after decoding.
package struct DecodedOptions: Sendable {
  /// Every declared option, defaults filled in; file options hold absolute paths.
  package var json: JSON
  package var files: [OptionFiles] = []
  /// Variables of the environment that stand for values, by dotted option path.
  package var secrets: [(option: String, name: String)] = []
  /// Where each value that was written comes from, by dotted option path.
  package var written: [(option: String, span: SourceSpan)] = []
  /// Options that were not written and have the default of the originals, with the place that says so.
  package var chosen: [(option: String, span: SourceSpan)] = []
  /// Whether every value is what was written or a default: no mistake was found and nothing stands for a secret.
  package var isComplete = true

  /// The place that set an option: written as such, a part of it, or the whole that it is a part of.
  package func span(of option: String) -> SourceSpan? {
    let origins = origins
    return
      (origins.first { UTF8Key($0.option) == UTF8Key(option) }
      ?? origins.first { Self.isBelow($0.option, option) }
      ?? origins.first { Self.isBelow(option, $0.option) })?.span
  }

  package var origins: [(option: String, span: SourceSpan)] { written + chosen }

  /// Whether the experiment writes the option or a part of it.
  func isWritten(_ option: String) -> Bool {
    written.contains { UTF8Key($0.option) == UTF8Key(option) || Self.isBelow($0.option, option) }
  }

  private static func isBelow(_ path: String, _ parent: String) -> Bool {
    path.utf8.starts(with: (parent + ".").utf8)
  }
}
