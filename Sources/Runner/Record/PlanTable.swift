// What `plumb plan` prints: for each node whether it is cached, will run and why, or waits.

import JSON

package struct PlanTable: Sendable {
  package let decisions: [Decision]
  private let plan: Plan

  /// Decides every node against the store; nothing runs.
  package init(_ plan: Plan, store: Store, stages: [any Stage.Type]) throws {
    self.plan = plan
    var resolution = try Resolution(plan: plan, store: store, stages: stages)
    decisions = try resolution.decideAll()
    try store.saveStatCache()
  }

  /// Whether anything would run.
  package var hasWork: Bool {
    decisions.contains { if case .cached = $0 { false } else { true } }
  }

  package var text: String {
    let width = plan.nodes.map(\.address.unicodeScalars.count).max() ?? 0
    var text = ""
    var cached = 0
    for (node, decision) in zip(plan.nodes, decisions) {
      let name = node.address + String(repeating: " ", count: width - node.address.unicodeScalars.count)
      let what =
        switch decision {
        case .cached: "cached"
        case .willRun(_, let reasons): "run     " + reasons.joined(separator: "; ")
        case .waits(let upstream): "waits   on " + upstream.map { plan.nodes[$0].address }.joined(separator: ", ")
        }
      if case .cached = decision { cached += 1 }
      text += TerminalText.escaped("\(name)  \(what)") + "\n"
    }
    return text + "\(cached) of \(plan.nodes.count) cached\n"
  }

  package var json: JSON {
    .array(
      zip(plan.nodes, decisions).map { node, decision in
        switch decision {
        case .cached(let record): ["address": .string(node.address), "state": "cached", "key": .string(record.key)]
        case .willRun(let key, let reasons):
          [
            "address": .string(node.address), "state": "run", "key": .string(key.hex),
            "reasons": .array(reasons.map { .string($0) }),
          ]
        case .waits(let upstream):
          [
            "address": .string(node.address), "state": "waits",
            "on": .array(upstream.map { .string(plan.nodes[$0].address) }),
          ]
        }
      })
  }
}
