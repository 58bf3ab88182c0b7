// What a stage declares about itself, once: ports, options and traits. Planning, option decoding, the
// reference documentation and the JSON Schema all follow from this.

import JSON

public struct StageDeclaration: Sendable {
  /// The name written after `uses:`.
  public let name: String
  /// One sentence for listings.
  public let summary: String
  /// Bumped whenever the same inputs and options would give another result.
  public let version: Int
  public let inputs: [InputPort]
  /// The first output is the one a bare reference to the stage means.
  public internal(set) var outputs: [OutputPort]
  public let options: [OptionField]
  /// Whether the stage draws random numbers; only then does its seed enter its key.
  public let isRandom: Bool
  /// What it computes with in floating point; nil where it does not. Only then does the numeric mode enter its key.
  public let numerics: Numerics?
  public var computes: Bool { numerics != nil }
  /// Whether it is a `RowStage`; only then can it be cut into shards.
  public let rowsAreIndependent: Bool
  /// Variables of the run's environment that its worker is given; it sees no others beyond the usual few. Their values
  /// are part of no key and are kept nowhere.
  public let environment: [String]
  /// What it expects to need; nil when it cannot say.
  public let estimate: StageEstimate.Function?

  public init(
    name: String, summary: String, version: Int, inputs: [InputPort], outputs: [OutputPort],
    options: [OptionField], isRandom: Bool = false, numerics: Numerics? = nil,
    rowsAreIndependent: Bool = false,
    environment: [String] = [], estimate: StageEstimate.Function? = nil
  ) {
    self.name = name
    self.summary = summary
    self.version = version
    self.inputs = inputs
    self.outputs = outputs
    self.options = options
    self.isRandom = isRandom
    self.numerics = numerics
    self.rowsAreIndependent = rowsAreIndependent
    self.environment = environment
    self.estimate = estimate
  }

  /// The same with further columns at one output: for a stage whose columns follow from its options.
  public func giving(
    _ output: String, columns: [String] = [], samples: [String] = []
  ) -> StageDeclaration {
    changing(output) {
      $0.columns += columns
      $0.samples += samples
    }
  }

  /// The same with metrics of these names at one output.
  public func giving(_ output: String, names: [String]) -> StageDeclaration {
    changing(output) { $0.names = names }
  }

  /// The same without an output: for one that an option asks for.
  package func leavingOut(_ output: String) -> StageDeclaration {
    var result = self
    result.outputs.removeAll { $0.name == output }
    return result
  }

  /// The same with other outputs: for a stage whose outputs follow from its options.
  public func giving(_ outputs: [OutputPort]) -> StageDeclaration {
    var result = self
    result.outputs = outputs
    return result
  }

  private func changing(_ output: String, _ change: (inout OutputPort) -> Void) -> StageDeclaration {
    var result = self
    for index in outputs.indices where outputs[index].name == output { change(&result.outputs[index]) }
    return result
  }
}

/// The kinds of thing that pass between stages.
public enum ArtifactType: String, CaseIterable, Sendable {
  /// JSON Lines, one object a line, each with a unique string `id`.
  case rows
  /// A Hugging Face directory, or a single GGUF file.
  case model
  /// A JSON object: names to numbers, or to series of numbers.
  case metrics
  /// Any one file.
  case file

  /// Whether it is weights among the outputs of one stage: a model, or the file beside one by which its training goes on, whose moments are
  /// larger than the model.
  package func isWeights(among outputs: [ArtifactType]) -> Bool {
    self == .model || self == .file && outputs.contains(.model)
  }
}

public struct InputPort: Sendable {
  public let name: String
  public let type: ArtifactType
  /// An optional port may be left unbound or bound to null.
  public let isRequired: Bool
  /// For rows: columns that must be there. Checked at plan time where known, and when the rows are read.
  public let columns: [String]
  /// Whether it takes several artifacts: all cells of a matrix, all iterations of a loop, a list. Read them with
  /// `context.artifacts(_:)`.
  public let collects: Bool
  public let summary: String

  public init(
    _ name: String, _ type: ArtifactType, required: Bool = true, columns: [String] = [],
    collects: Bool = false, summary: String
  ) {
    self.name = name
    self.type = type
    self.isRequired = required
    self.columns = columns
    self.collects = collects
    self.summary = summary
  }
}

public struct OutputPort: Sendable {
  public let name: String
  public let type: ArtifactType
  /// For rows: the input port whose columns pass through, if any.
  public let passesThrough: String?
  /// For rows: columns this stage adds, one value a row.
  public fileprivate(set) var columns: [String]
  /// For rows: columns this stage adds, each a list with one entry for each sample of the row.
  public fileprivate(set) var samples: [String]
  /// For rows: whether the samples are new, so that those of the input do not pass through.
  public let replacesSamples: Bool
  /// For rows: whether they may hold columns beside those that are known; nil for yes where the stage reads no rows.
  public let hasOtherColumns: Bool?
  /// For metrics: the names that may be addressed as `stage.NAME`; nil when only the results tell.
  public fileprivate(set) var names: [String]?
  public let summary: String

  public init(
    _ name: String, _ type: ArtifactType, passesThrough: String? = nil, columns: [String] = [],
    samples: [String] = [], replacesSamples: Bool = false, hasOtherColumns: Bool? = nil,
    names: [String]? = nil,
    summary: String
  ) {
    self.name = name
    self.type = type
    self.passesThrough = passesThrough
    self.columns = columns
    self.samples = samples
    self.replacesSamples = replacesSamples
    self.hasOtherColumns = hasOtherColumns
    self.names = names
    self.summary = summary
  }
}
