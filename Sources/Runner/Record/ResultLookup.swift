// The results of finished nodes by their address, of an experiment as it is now or of one run; and the models of a plan, which
// may be such results.

import Glibc
import JSON
import System

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

extension Resolution {
  /// - Parameter depth: how many experiments wait for this one's model.
  /// - Throws: `InputError` when a model's file is missing or not what its `sha256` says; `RunError` for one that an experiment
  ///   has not made.
  package init(plan: Plan, store: Store, stages: [any Stage.Type], depth: Int = 0) throws {
    var models: [UTF8Key: ResolvedModel] = [:]
    for model in plan.models {
      models[UTF8Key(model.name)] = try Self.resolve(model, store, StageRegistry(stages), depth: depth)
    }
    self.init(plan: plan, store: store, stages: stages, models: models)
  }

  private static func resolve(_ model: ModelReference, _ store: Store, _ stages: StageRegistry, depth: Int)
    throws
    -> ResolvedModel
  {
    guard case .run(let file, let address) = model.source else {
      return ResolvedModel(model: model, digest: try ModelSource.contentDigest(of: model, store: store))
    }
    let wanted = ResultAddress(file: file, address: address)
    do {
      let output = try wanted.find(store: store, stages: stages, depth: depth).output(.model, at: wanted)
      if let sha256 = model.sha256, sha256 != output.digest.hex {
        throw InputError("`\(wanted.text)` has sha256 \(output.digest.hex), expected \(sha256)")
      }
      return ResolvedModel(model: model, digest: output.digest, output: output)
    } catch let error as any ErrorWithExitCode {
      throw RunError(error.exitCode, "model `\(model.name)`: \(error)")
    } catch let error as InputError {
      throw InputError("model `\(model.name)`: \(error.description)")
    }
  }
}
