// What a plan is expected to need, from what its stages declare: for nodes of which no earlier run tells anything.

import Glibc
import JSON

package struct PlanEstimate: Sendable {
  /// By node; nil for nodes that have nothing to do and for stages that cannot say.
  package let nodes: [StageEstimate?]

  /// `decisions`: in the order of the plan, as far as they are made.
  package init(_ resolution: Resolution, _ decisions: [Decision], threads: Int = processorCount()) {
    var sizes: [[(port: String, size: ArtifactSize)]] = []
    var nodes: [StageEstimate?] = []
    for (node, decision) in zip(resolution.plan.nodes, decisions) {
      if case .cached(let record) = decision {
        sizes.append(
          record.outputs.map { ($0.port, ArtifactSize(items: PlanEstimate.parameters($0), bytes: $0.size)) })
        nodes.append(nil)
        continue
      }
      let inputs = node.inputs.map { input -> (port: String, size: ArtifactSize) in
        switch input.source {
        case .node(let index, let output):
          let known =
            index < sizes.count ? sizes[index].first { UTF8Key($0.port) == UTF8Key(output) }?.size : nil
          return (input.port, known ?? ArtifactSize())
        case .model(let name):
          let source = resolution.models[UTF8Key(name)]?.model.source
          return (input.port, source.map(PlanEstimate.size) ?? ArtifactSize())
        }
      }
      let estimate = (try? resolution.declaration(of: node))?.estimate?(
        StageEstimate.Input(
          options: StageOptions(node.options), threads: node.execution.threads ?? threads, inputs: inputs))
      nodes.append(estimate)
      sizes.append((estimate?.outputs ?? [:]).map { ($0.key, $0.value) })
    }
    self.nodes = nodes
  }

  /// A trained model holds four bytes a parameter.
  private static func parameters(_ output: StoredOutput) -> Int? {
    output.type == .model ? output.size / 4 : nil
  }

  /// A GGUF file holds about a byte a parameter, a directory two; of a model not fetched yet nothing is known.
  private static func size(_ source: PlanModel.Source) -> ArtifactSize {
    guard case .path(let path) = source, let status = FileStatus.of(path) else { return ArtifactSize() }
    guard status.isDirectory else { return ArtifactSize(items: status.size, bytes: status.size) }
    let files = (try? Manifest.files(below: path, followingLinks: true)) ?? []
    let bytes = files.filter { $0.hasSuffix(".safetensors") }.reduce(0) {
      $0 &+ (FileStatus.of("\(path)/\($1)")?.size ?? 0)
    }
    return ArtifactSize(items: bytes / 2, bytes: bytes)
  }

  /// Of the nodes for which `isWanted` holds; nil when none of them can say anything.
  package func summary(_ isWanted: (Int) -> Bool) -> String? {
    let wanted = nodes.indices.filter(isWanted)
    let known = wanted.compactMap { nodes[$0] }
    let seconds = known.compactMap(\.seconds)
    let disk = known.flatMap { $0.outputs.values.compactMap(\.bytes) }.reduce(0.0) { $0 + Double($1) }
    guard !seconds.isEmpty else { return nil }
    let total = seconds.reduce(0, +)
    var parts = [total < 1 ? "under a second" : "about \(duration(total))"]
    if disk >= 1_048_576 { parts.append("\(PlanEstimate.size(disk)) of disk") }
    if let memory = known.compactMap(\.memoryBytes).max(), memory >= 1 << 20 {
      parts.append("at most \(PlanEstimate.size(Double(memory))) of memory at once in one stage")
    }
    let silent = wanted.count - seconds.count
    return "estimated for \(RunMessages.stages(seconds.count)) that never ran: "
      + parts.joined(separator: ", ")
      + (silent > 0 ? "; nothing is known of \(silent) more" : "") + " (orders of magnitude)"
  }

  private static func size(_ bytes: Double) -> String {
    bytes >= 1_073_741_824
      ? TextTable.format("%.1f GiB", bytes / 1_073_741_824)
      : TextTable.format("%.0f MiB", bytes / 1_048_576)
  }
}
