// The plug-ins a program knows: an explicit list, in the order in which they are shown.

import JSON
import System

package struct StageRegistry: Sendable {
  /// In the order given.
  package let stages: [any Stage.Type]
  /// The facts of a model that lies at a path, and in part elsewhere, from its header: stages are checked against them.
  package let describeModel: @Sendable (_ path: String, _ config: String?, _ tokenizer: String?) -> JSON
  /// Where a model that was fetched lies; nil when it has not been.
  package let fetchedModel: @Sendable (_ sha256: String, _ name: String) -> String?
  /// The paths of a data set's files; nil when it has not been fetched.
  package let fetchedData: @Sendable (_ digest: Digest) -> [String]?

  /// - Precondition: no two stages have the same name, and a row stage reads and writes rows as its contract has it.
  package init(
    _ stages: [any Stage.Type],
    describeModel:
      @escaping @Sendable (_ path: String, _ config: String?, _ tokenizer: String?) -> JSON =
      { _, _, _ in .object(JSONObject()) },
    fetchedModel: @escaping @Sendable (_ sha256: String, _ name: String) -> String? = { _, _ in nil },
    fetchedData: @escaping @Sendable (_ digest: Digest) -> [String]? = { _ in nil }
  ) {
    self.describeModel = describeModel
    self.fetchedModel = fetchedModel
    self.fetchedData = fetchedData
    var seen: Set<UTF8Key> = []
    for stage in stages {
      let name = stage.declaration.name
      precondition(seen.insert(UTF8Key(name)).inserted, "two stages are called `\(name)`")
      if let stage = stage as? any RowStage.Type, let problem = stage.contractProblem {
        preconditionFailure("stage `\(name)`: \(problem)")
      }
    }
    self.stages = stages
  }

  package func stage(named name: String) -> (any Stage.Type)? {
    stages.first { UTF8Key($0.declaration.name) == UTF8Key(name) }
  }

  package var names: [String] { stages.map { $0.declaration.name } }

  /// All numeric modes that stages declare, in the order of the stages; the first is the default of an experiment.
  package var numericModes: [String] {
    var modes: [String] = []
    for mode in stages.flatMap({ $0.declaration.numerics?.modes ?? [] }) where !modes.contains(mode) {
      modes.append(mode)
    }
    return modes
  }
}

extension RowStage {
  /// What its declaration lacks of what the runner relies on when it drives it row by row.
  package static var contractProblem: String? {
    // Such a stage is looked at when it runs.
    if portsFollowOptions { return nil }
    guard let port = declaration.inputs.first(where: { UTF8Key($0.name) == UTF8Key(rowsPort) }) else {
      return "a row stage reads its rows from the input `\(rowsPort)`, which it does not declare"
    }
    guard port.type == .rows, port.isRequired else {
      return "the input `\(rowsPort)` of a row stage holds rows and is required"
    }
    guard declaration.outputs.map(\.name) == ["rows"], declaration.outputs.first?.type == .rows else {
      return "a row stage has one output, the rows `rows`"
    }
    return nil
  }
}
