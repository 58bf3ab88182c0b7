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
    func plain(_ node: Int) -> String { TerminalText.escaped(plan.nodes[node].address) }
    let width = plan.nodes.indices.map { TextTable.width(plain($0)) }.max() ?? 0
    var text = ""
    var counts = (cached: 0, run: 0, waits: 0)
    for (index, decision) in decisions.enumerated() {
      let what: String
      switch decision {
      case .cached:
        counts.cached += 1
        what = "cached"
      case .willRun(_, let reasons):
        counts.run += 1
        what = "run     \(reasons.joined(separator: "; "))"
      case .waits(let upstream):
        counts.waits += 1
        what = "waits   on \(upstream.map { plan.nodes[$0].address }.joined(separator: ", "))"
      }
      text += "\(TextTable.padded(plain(index), to: width))  \(TerminalText.escaped(what))\n"
    }
    let total = RunMessages.stages(decisions.count)
    if counts.cached == decisions.count { return text + "\(total), all cached\n" }
    let parts = [(counts.cached, "cached"), (counts.run, "to run"), (counts.waits, "waiting for others")]
    return text + "\(total): " + parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
      + "\n"
  }

  package var json: JSON {
    .array(
      zip(plan.nodes, decisions).map { node, decision in
        switch decision {
        case .cached(let record):
          ["address": .string(node.address), "state": "cached", "key": .string(record.key)]
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
