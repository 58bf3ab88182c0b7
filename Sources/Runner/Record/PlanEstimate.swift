// What a plan is expected to need, from what its stages declare: for nodes of which no earlier run tells anything.

import Glibc
import JSON
import System

package struct PlanEstimate: Sendable {
  /// By node; nil for nodes that have nothing to do and for stages that cannot say.
  package let nodes: [StageEstimate?]

  /// `decisions`: in the order of the plan, as far as they are made.
  package init(_ resolution: Resolution, _ decisions: [Decision], threads: Int = processorCount()) {
    var sizes: [[(port: String, size: ArtifactSize)]] = []
    var nodes: [StageEstimate?] = []
    var models: [UTF8Key: ArtifactSize] = [:]
    for model in resolution.plan.models { models[UTF8Key(model.name)] = PlanEstimate.size(of: model) }
    for (node, decision) in zip(resolution.plan.nodes, decisions) {
      if case .cached(let record) = decision {
        sizes.append(record.outputs.map { ($0.port, PlanEstimate.size(of: $0, of: node, resolution.store)) })
        nodes.append(nil)
        continue
      }
      let inputs = node.inputs.map { input -> (port: String, size: ArtifactSize) in
        switch input.source {
        case .node(let index, let output):
          let known =
            index < sizes.count ? sizes[index].first { UTF8Key($0.port) == UTF8Key(output) }?.size : nil
          return (input.port, known ?? ArtifactSize())
        case .model(let name): return (input.port, models[UTF8Key(name)] ?? ArtifactSize())
        }
      }
      let options = node.options.replacing(dataSetsOf: node.files) { _, digest in
        try? DataSetSource.standard().paths(of: digest)
      }
      var estimate = (try? resolution.declaration(of: node))?.estimate?(
        StageEstimate.Input(
          options: StageOptions(options), threads: node.execution.threads ?? threads,
          numericMode: node.numericMode, inputs: inputs))
      for (output, rows) in node.rowCounts {
        guard let size = estimate?.outputs[output.string] else { continue }
        estimate?.outputs[output.string] = size.scaled(toRows: rows)
      }
      nodes.append(estimate)
      sizes.append((estimate?.outputs ?? [:]).map { ($0.key, $0.value) })
    }
    self.nodes = nodes
  }

  /// A trained model holds four bytes a parameter.
  private static func size(of output: StoredOutput, of node: PlanNode, _ store: Store) -> ArtifactSize {
    var size = ArtifactSize(bytes: output.size)
    switch output.type {
    case .model: size.items = output.size / 4
    case .rows:
      size.rows =
        node.rowCounts[UTF8Key(output.port)]
        ?? FileState(option: "", path: store.objectPath(output.digest))?.lines
    case .metrics, .file: break
    }
    return size
  }

  /// As its header tells; of a model that is not here nothing is known.
  private static func size(of model: ModelReference) -> ArtifactSize {
    ArtifactSize(
      items: model.facts["parameters"]?.intValue, bytes: model.facts["bytes"]?.intValue, facts: model.facts)
  }

  /// Of each node as long as it or its like took before, else as its stage estimates; nil where neither is known.
  static func expectedSeconds(_ resolution: Resolution) -> [Double?] {
    var (decided, expected) = (resolution, ExpectedTime(resolution))
    guard let decisions = try? decided.decideAll() else { return resolution.plan.nodes.map { _ in nil } }
    let estimates = PlanEstimate(decided, decisions)
    return zip(resolution.plan.nodes, estimates.nodes).map { node, estimate in
      (try? expected.seconds(of: node)).flatMap(\.self) ?? estimate?.seconds
    }
  }

  /// Of the nodes for which `isWanted` holds; nil when none of them can say anything.
  package func summary(_ isWanted: (Int) -> Bool) -> String? {
    let wanted = nodes.indices.filter(isWanted)
    let known = wanted.compactMap { nodes[$0] }
    let seconds = known.compactMap(\.seconds)
    let disk = known.flatMap { $0.outputs.values.compactMap(\.bytes) }.reduce(0.0) { $0 + Double($1) }
    guard !seconds.isEmpty else { return nil }
    let total = seconds.reduce(0, +)
    let silent = wanted.count - seconds.count
    // What little is known says nothing of the rest.
    let time =
      silent > 0
      ? (total < 1 ? "time unknown" : "more than \(duration(total))")
      : (total < 1 ? "under a second" : "about \(duration(total))")
    var parts = [time]
    if disk >= 1_048_576 { parts.append("\(PlanEstimate.size(disk)) of disk") }
    if let memory = known.compactMap(\.memoryBytes).max(), memory >= 1 << 20 {
      parts.append("at most \(PlanEstimate.size(Double(memory))) of memory at once in one stage")
    }
    return "estimated for \(RunMessages.stages(wanted.count)) that never ran: "
      + parts.joined(separator: ", ")
      + (silent > 0 ? "; no estimate for \(silent) of them" : "") + " (orders of magnitude)"
  }

  private static func size(_ bytes: Double) -> String {
    bytes >= 1_073_741_824
      ? TextTable.format("%.1f GiB", bytes / 1_073_741_824)
      : TextTable.format("%.0f MiB", bytes / 1_048_576)
  }
}
