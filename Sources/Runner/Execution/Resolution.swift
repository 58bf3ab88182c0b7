// What each node's key is as soon as its inputs are known, and whether it is finished: what `plan` prints and `run` follows.

import Glibc
import JSON
import System

/// A plan's models with the digest of their content, which is known before a remote one is fetched.
package struct ResolvedModel: Sendable {
  package let model: ModelReference
  package let digest: Digest
  /// Of one that an experiment made.
  package var output: StoredOutput?
}

/// Whether a node is finished, and if not, why.
package enum Decision: Sendable {
  case cached(NodeRecord)
  /// Its inputs are known; the reasons say what changed since this address was last computed.
  case willRun(ContentKey, reasons: [StaleReason])
  /// On nodes that will run first; whether it must run itself is seen when their output is.
  case waits(on: [Int])
  /// A loop ended before it, or all that it would read did.
  case skipped
}

package struct Resolution {
  package let plan: Plan
  package let store: Store
  private let stages: [UTF8Key: any Stage.Type]
  package let models: [UTF8Key: ResolvedModel]
  /// The key each address had when it last ran or was found finished.
  package let lastKeys: [UTF8Key: String]
  /// Nodes that are computed though they are finished.
  package var forced: Set<Int> = []
  /// Records of finished nodes, by index.
  package private(set) var records: [Int: NodeRecord] = [:]
  /// Nodes that will not run because a loop ended before them.
  package private(set) var skipped: Set<Int> = []
  private var earlyEnds: EarlyEnds

  /// - Parameter models: of the plan, by name.
  init(plan: Plan, store: Store, stages: [any Stage.Type], models: [UTF8Key: ResolvedModel]) {
    self.plan = plan
    self.store = store
    self.models = models
    var named: [UTF8Key: any Stage.Type] = [:]
    for stage in stages { named[UTF8Key(stage.declaration.name)] = stage }
    self.stages = named
    lastKeys = store.lastKeys(experiment: plan.experimentName)
    earlyEnds = EarlyEnds(plan)
  }

  /// - Throws: `RunError` for a plan that names a stage this executable lacks.
  package func declaration(of node: PlanNode) throws -> StageDeclaration {
    guard let stage = stages[UTF8Key(node.stage)] else {
      throw RunError(.bug, "the plan names the stage `\(node.stage)`, which this executable does not have")
    }
    return stage.declaration(for: node.options)
  }

  /// Upstream nodes neither finished nor skipped, in order, each once.
  package func unfinishedUpstream(of node: PlanNode) -> [Int] {
    var found: [Int] = []
    var seen: Set<Int> = []
    func note(_ index: Int) {
      if records[index] == nil, !skipped.contains(index), seen.insert(index).inserted { found.append(index) }
    }
    for input in node.inputs { if case .node(let index, _) = input.source { note(index) } }
    for index in node.after { note(index) }
    return found
  }

  /// What stands in a key for what an input holds; nil while the node that gives it has not run.
  package func keyPart(of input: PlanInput) -> JSON? {
    switch input.source {
    case .node(let index, let output): records[index]?.output(output)?.keyPart
    case .model(let name): models[UTF8Key(name)].map { $0.model.server?.keyPart ?? .string($0.digest.hex) }
    }
  }

  /// Its inputs as they turned out: what was skipped is replaced by what stands in for it, or left out. All upstream
  /// nodes must be finished or skipped.
  package func bound(_ node: PlanNode) -> [PlanInput] {
    node.inputs.compactMap { input in
      guard case .node(_, let output) = input.source else { return input }
      guard let index = input.candidates.first(where: { !skipped.contains($0) }) else { return nil }
      return PlanInput(
        port: input.port, type: input.type, source: .node(index, output: output), label: input.label)
    }
  }

  /// A port of which nothing is left has nothing to read, and its node nothing to do.
  private func lacksInput(_ node: PlanNode) -> Bool {
    guard !skipped.isEmpty else { return false }
    let bound = Set(bound(node).map { UTF8Key($0.port) })
    return node.inputs.contains { !bound.contains(UTF8Key($0.port)) }
  }

  /// Loops found to have ended early since this was last asked.
  package mutating func takeEndings() -> [EarlyEnds.Ending] { earlyEnds.takeEndings() }

  package func output(_ port: String, of index: Int, for node: PlanNode) throws -> StoredOutput {
    guard let output = records[index]?.output(port) else {
      throw RunError(
        .bug, "`\(node.address)` needs output `\(port)` of `\(plan.nodes[index].address)`, which has none")
    }
    return output
  }

  /// The key; all upstream nodes must be finished.
  package func key(of node: PlanNode) throws -> ContentKey {
    let inputs = try bound(node).map { input -> (port: String, label: String?, digest: JSON) in
      guard let part = keyPart(of: input) else {
        switch input.source {
        case .node(let index, let port): _ = try output(port, of: index, for: node)
        case .model: break
        }
        throw RunError(
          .bug, "`\(node.address)` needs what is at its input `\(input.port)`, which is not known")
      }
      return (input.port, input.label, part)
    }
    return ContentKey(
      node: node, declaration: try declaration(of: node), inputs: inputs, files: try fileDigests(of: node))
  }

  /// Digests of what its options name, as it is now.
  package func fileDigests(of node: PlanNode) throws -> [Digest] {
    try node.files.map { file in
      do {
        return try file.digest(file: store.digestOfInput)
      } catch let error as FileKindError {
        throw InputError("\(error.description) (option `\(file.option)` of `\(node.address)`)")
      } catch let error as SystemError where !error.isMachineFault || error.code == EACCES {
        throw InputError("\(error.description) (option `\(file.option)` of `\(node.address)`)")
      }
    }
  }

  /// How the files and local models that enter its key were read.
  package func readings(of node: PlanNode) throws -> JSON {
    var paths = node.files.flatMap(\.paths)
    for case .model(let name) in node.inputs.map(\.source) {
      guard let model = models[UTF8Key(name)]?.model, case .path(let path) = model.source else { continue }
      if let parts = model.parts {
        paths += try AssembledModel(of: path, with: parts).links.map(\.path)
      } else {
        paths.append(path)
      }
    }
    return .array(try paths.flatMap { try store.readings(of: $0).map(\.json) })
  }

  /// The name of a model that is not what its key was made of any more.
  package func changedModel(of node: PlanNode) throws -> String? {
    for input in node.inputs {
      guard case .model(let name) = input.source, let resolved = models[UTF8Key(name)],
        case .path = resolved.model.source
      else { continue }
      if try ModelSource.contentDigest(of: resolved.model, store: store) != resolved.digest { return name }
    }
    return nil
  }

  package mutating func finish(_ index: Int, _ record: NodeRecord) { records[index] = record }

  /// Decides one node; a finished one is noted, so that what is downstream can be decided.
  package mutating func decide(_ index: Int) throws -> Decision {
    let node = plan.nodes[index]
    let missing = unfinishedUpstream(of: node)
    guard missing.isEmpty else { return .waits(on: missing) }
    if try earlyEnds.hasEnded(before: node, records: records, skipped: skipped, store: store)
      || lacksInput(node)
    {
      skipped.insert(index)
      return .skipped
    }
    let key = try key(of: node)
    if let record = try store.record(key.hex) {
      if forced.contains(index) { return .willRun(key, reasons: [.forced]) }
      finish(index, record)
      return .cached(record)
    }
    return .willRun(key, reasons: try reasons(node, key))
  }

  /// The node at an address as the plan turned out, and the output named after it: `@last` is the last iteration that is not
  /// skipped. Decides every node that this may depend on. A node that is skipped is given where the address means no other.
  /// - Throws: `RunError` (2) naming what is near.
  package mutating func find(_ address: String, stages: StageRegistry) throws -> (
    node: PlanNode, output: OutputPort?
  ) {
    let (nodes, output) = try plan.candidates(address, stages: stages)
    for index in 0...(nodes.map(\.index).max() ?? 0) { _ = try decide(index) }
    return (nodes.first { !skipped.contains($0.index) } ?? nodes[0], output)
  }

  /// - Throws: `RunError` (2) for a node that will not run, since a loop ended before it.
  package func requireNotSkipped(_ node: PlanNode) throws {
    guard skipped.contains(node.index) else { return }
    guard let (loop, last) = earlyEnds.ending(before: node) else {
      throw RunError(
        .commandLine, "`\(node.address)` was skipped: a loop ended early, so none of its inputs was computed")
    }
    throw RunError(
      .commandLine,
      "`\(node.address)` was skipped: the loop `\(loop)` ended after iteration \(last); write `\(loop)@\(last)` or `\(loop)@last`"
    )
  }

  /// Decides every node, in order.
  package mutating func decideAll() throws -> [Decision] { try plan.nodes.indices.map { try decide($0) } }

  /// The record of the last time an address ran or was found finished, whether or not its bytes are there.
  package func lastRecord(at address: String) throws -> NodeRecord? {
    try lastKeys[UTF8Key(address)].flatMap { try store.unverifiedRecord($0) }
  }

  private func reasons(_ node: PlanNode, _ key: ContentKey) throws -> [StaleReason] {
    if try !File.names(in: store.journalDirectory(key.hex)).isEmpty {
      return [.interrupted(hasCheckpoint: false)]
    }
    if try !File.names(in: store.checkpointDirectory(key.hex)).isEmpty {
      return [.interrupted(hasCheckpoint: true)]
    }
    // Under another address, or before another change, this may have run too.
    if try lastKeys[UTF8Key(node.address)] == key.hex || store.unverifiedRecord(key.hex) != nil {
      return [.damaged]
    }
    guard let last = try lastRecord(at: node.address) else { return [.neverRan] }
    return changes(of: node, from: last, to: key.preimage)
  }

  /// Notes which key each finished address has now.
  package func saveLastKeys() throws {
    var keys = store.lastKeys(experiment: plan.experimentName)
    var isChanged = false
    for (index, record) in records {
      let address = UTF8Key(plan.nodes[index].address)
      if keys[address] != record.key {
        keys[address] = record.key
        isChanged = true
      }
    }
    guard isChanged else { return }
    do {
      try store.setLastKeys(keys, experiment: plan.experimentName)
    } catch let error as SystemError where error.isDenied {
      // They only explain what changed; in a store that may only be read, whoever may write notes them.
    }
  }
}
