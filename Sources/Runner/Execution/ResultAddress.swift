// A result by its address: `EXPERIMENT.yaml::quark@last.train.model`, or in the words of one run, `runs/NAME/ID::…`.

import Glibc
import JSON
import System

package struct ResultAddress: Sendable, Equatable {
  /// An experiment file, or the directory of a run.
  package let file: String
  /// As `plumb plan` shows it; `@last` and an output's name may be used.
  package let address: String

  package init(file: String, address: String) {
    self.file = file
    self.address = address
  }

  /// Nil when there is no `::` with something on both sides.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard let colons = bytes.indices.dropLast().last(where: { bytes[$0] == 0x3A && bytes[$0 + 1] == 0x3A }),
      colons > 0, colons + 2 < bytes.count
    else { return nil }
    file = String(decoding: bytes[..<colons], as: UTF8.self)
    address = String(decoding: bytes[(colons + 2)...], as: UTF8.self)
  }

  package var text: String { "\(file)::\(address)" }
}

/// A finished node, and which of its outputs were asked for.
package struct FoundResult: Sendable {
  package let record: NodeRecord
  /// One when an output was named, else all.
  package let outputs: [StoredOutput]
  /// Where the node stands in the plan of the experiment; nil for a run's.
  package let node: Int?
}

extension ResultAddress {
  /// - Parameter plan: of the experiment file.
  /// - Throws: `RunError`: 2 for an address that is not there, 11 for one that has not run as the file is now.
  package func find(in plan: Plan, store: Store, stages: StageRegistry, depth: Int = 0) throws -> FoundResult
  {
    var resolution = try Resolution(plan: plan, store: store, stages: stages.stages, depth: depth)
    let (node, output) = try resolution.find(address, stages: stages)
    try resolution.requireNotSkipped(node)
    guard let record = resolution.records[node.index] else {
      throw RunError(
        .workFound,
        "`\(address)` has not run with these settings; `\(Program.name) run \(file)` runs it, `\(Program.name) plan \(file)` shows why"
      )
    }
    return FoundResult(
      record: record, outputs: record.outputs.filter { output == nil || $0.port == output?.name },
      node: node.index)
  }

  /// Of a run directory, whose plan names the key of each node that was finished. `@last` is the last iteration that the run did
  /// not skip.
  package func findInRun(store: Store, stages: StageRegistry) throws -> FoundResult {
    let path = "\(file)/plan.json"
    guard let json = try? JSON(parsing: try File.read(path)), let list = json["nodes"]?.arrayValue else {
      throw RunError(
        .commandLine,
        "`\(file)` is neither an experiment file nor the directory of a run: no readable `\(path)`")
    }
    let nodes = list.enumerated().map { index, node in
      PlanNode(
        index: index, address: node["address"]?.stringValue ?? "", stage: node["stage"]?.stringValue ?? "",
        options: node["options"] ?? .null, files: [], inputs: [], seed: 0, numericMode: "",
        execution: ExecutionSettings(),
        recipeKey: "")
    }
    let plan = Plan(experimentName: file, nodes: nodes, models: [], metrics: [])
    let (candidates, output) = try plan.candidates(address, stages: stages)
    let skipped = Set(
      (try? RunNode.read(file))?.filter { $0.state == .skipped }.map { UTF8Key($0.address) } ?? [])
    guard let node = candidates.first(where: { !skipped.contains(UTF8Key($0.address)) }) else {
      throw RunError(.commandLine, "`\(address)` was skipped in the run `\(file)`: its loop ended earlier")
    }
    guard let key = list[node.index]["key"]?.stringValue else {
      throw RunError(.workFound, "`\(address)` was not finished in the run `\(file)`")
    }
    guard let record = try store.record(key) else {
      throw RunError(
        .workFound,
        "the result of `\(address)` in the run `\(file)` is not in the store `\(store.root)`; run its experiment again"
      )
    }
    return FoundResult(
      record: record, outputs: record.outputs.filter { output == nil || $0.port == output?.name }, node: nil)
  }
}

extension ResultAddress {
  /// Of an experiment file as it is now, or of a run directory. `depth` bounds experiments that take models of experiments.
  package func find(store: Store, stages: StageRegistry, depth: Int = 0) throws -> FoundResult {
    if FileStatus.of(file)?.isDirectory == true { return try findInRun(store: store, stages: stages) }
    guard depth < ResultAddress.maximumDepth else {
      throw RunError(
        .experiment,
        "`\(text)`: experiments use models of each other more than \(ResultAddress.maximumDepth) levels deep, perhaps in a cycle"
      )
    }
    switch Planner.plan(path: file, stages: stages, digest: { try store.digestOfInput($0) }) {
    case .success(let (_, plan)): return try find(in: plan, store: store, stages: stages, depth: depth + 1)
    case .failure(let list):
      throw RunError(
        .experiment,
        "`\(file)`, which should compute `\(address)`, is wrong; `\(Program.name) check \(file)` shows all errors:\n\(DiagnosticRenderer().render(list))"
      )
    }
  }

  static let maximumDepth = 8
}

extension FoundResult {
  /// The one output of this type.
  /// - Throws: `RunError` (2) when there is none, or several.
  package func output(_ type: ArtifactType, at address: ResultAddress) throws -> StoredOutput {
    let fitting = outputs.filter { $0.type == type }
    if fitting.count == 1 { return fitting[0] }
    let names = outputs.map { "`\($0.port)` (\($0.type.rawValue))" }.joined(separator: ", ")
    throw RunError(
      .commandLine,
      "`\(address.text)` names \(fitting.isEmpty ? "no" : "more than one") \(type.rawValue); its outputs are \(names)"
    )
  }
}
