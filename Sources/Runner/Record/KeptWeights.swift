// How much disk the weights take that an experiment keeps, and where it keeps copies that nothing reads any more.

import JSON
import System

package struct KeptWeights: Sendable {
  /// Models of one stage, in all iterations.
  package struct Group: Sendable {
    /// `quark.train`, as `--only` takes it.
    package let stage: String
    /// Whose bytes `keep:` wants to stay, and how many there are in all.
    package fileprivate(set) var kept = 0
    package fileprivate(set) var count = 0
    package fileprivate(set) var keptBytes = 0
    /// Of all but the last.
    package fileprivate(set) var earlierBytes = 0
    /// Whether something outside of its loop reads one that is not the last.
    package fileprivate(set) var isReadOutside = false
    fileprivate var lastBytes = 0
    fileprivate var keep: String
  }

  /// In the order of the plan.
  package let groups: [Group]

  package var bytes: Int { groups.reduce(0) { $0 &+ $1.keptBytes } }

  /// Less is not worth a line.
  private static let leastBytes = 1 << 20

  /// `decisions` and `estimate`: of the plan. What is neither stored nor estimated is left out.
  init(_ resolution: Resolution, _ decisions: [Decision], _ estimate: PlanEstimate) throws {
    let plan = resolution.plan
    var groups: [Group] = []
    var places: [UTF8Key: Int] = [:]
    var latest: [UTF8Key: Int] = [:]
    for node in plan.nodes { latest[UTF8Key(PlanAddress.withoutIterations(node.address))] = node.index }
    let readOutside = Self.readOutside(plan)
    for (node, decision) in zip(plan.nodes, decisions) {
      if case .skipped = decision { continue }
      var record: NodeRecord?
      if case .cached(let stored) = decision { record = stored }
      guard let bytes = try Self.bytes(of: node, record, estimate, resolution) else { continue }
      let key = UTF8Key(PlanAddress.withoutIterations(node.address))
      let place = places[key] ?? groups.count
      places[key] = place
      if place == groups.count {
        groups.append(Group(stage: key.string, keep: node.execution.keep))
      }
      groups[place].count += 1
      groups[place].earlierBytes &+= groups[place].lastBytes
      groups[place].lastBytes = bytes
      let isLast = latest[key] == node.index
      if node.execution.keep == "all" || (node.execution.keep == "last" && isLast) {
        groups[place].kept += 1
        groups[place].keptBytes &+= bytes
      }
      if !isLast, readOutside.contains(node.index) { groups[place].isReadOutside = true }
    }
    self.groups = groups
  }

  /// Of its models and training states. Nil of a node that makes no model, and of one that is neither stored nor estimated.
  static func bytes(
    of node: PlanNode, _ record: NodeRecord?, _ estimate: PlanEstimate, _ resolution: Resolution
  ) throws -> Int? {
    let declared = try resolution.declaration(of: node).outputs
    let types = declared.map(\.type)
    let sizes = declared.filter { $0.type.isWeights(among: types) }.compactMap { output in
      record?.output(output.name)?.size ?? estimate.nodes[node.index]?.outputs[output.name]?.bytes
    }
    return sizes.isEmpty ? nil : sizes.reduce(0, &+)
  }

  /// Nodes that one outside of the outermost loop around them reads.
  private static func readOutside(_ plan: Plan) -> Set<Int> {
    var found: Set<Int> = []
    for reader in plan.nodes {
      for source in reader.inputs.flatMap(\.candidates) {
        let loop = plan.nodes[source].address.utf8.prefix { $0 != UInt8(ascii: "@") }
        let isInside =
          reader.address.utf8.starts(with: loop)
          && reader.address.utf8.dropFirst(loop.count).first == UInt8(ascii: "@")
        if !isInside { found.insert(source) }
      }
    }
    return found
  }

  /// Where `keep: last` would do.
  package var suggestions: [Group] {
    groups.filter {
      $0.keep == "all" && $0.count > 1 && !$0.isReadOutside && $0.earlierBytes >= Self.leastBytes
    }
  }

  /// A line for all, and one for each suggestion; none where the weights are small.
  package var lines: [String] {
    guard bytes >= Self.leastBytes else { return [] }
    let kept = groups.filter { $0.keptBytes > 0 }.sorted { $0.keptBytes > $1.keptBytes }
    let shown = kept.prefix(3).map { group in
      "\(group.stage) \(ByteCount(group.keptBytes).text)"
        + (group.kept > 1 ? " (\(group.kept) of \(ByteCount(group.keptBytes / group.kept).text))" : "")
    }
    let rest = kept.count > 3 ? ", \(kept.count - 3) more" : ""
    return ["weights that stay on disk: \(ByteCount(bytes).text): \(shown.joined(separator: ", "))\(rest)"]
      + suggestions.map {
        "`\($0.stage)`: nothing outside of its loop reads its first \($0.count - 1 == 1 ? "model" : "\($0.count - 1) models"); "
          + "with `keep: last` beside it `\(Program.name) cache gc` frees \(ByteCount($0.earlierBytes).text)"
      }
  }

  package var json: JSON {
    .array(
      groups.map { group in
        [
          "stage": .string(group.stage), "models": .int(Int64(group.count)), "kept": .int(Int64(group.kept)),
          "kept_bytes": .int(Int64(group.keptBytes)),
          "keep_last_frees_bytes": .int(
            Int64(suggestions.contains { $0.stage == group.stage } ? group.earlierBytes : 0)),
        ]
      })
  }
}
