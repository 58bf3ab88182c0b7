// What `plumb plan` prints: for each node whether it is cached, will run and why, or waits and for whom, and how long
// that may take.

import JSON
import System

package struct PlanTable {
  package let decisions: [Decision]
  /// Seconds each node that may run took before, or its like did; nil where that is not known.
  package let expectedSeconds: [Double?]
  /// From what the stages declare; of use where nothing is expected from earlier runs.
  package let estimate: PlanEstimate
  package let weights: KeptWeights
  private let plan: Plan
  private let selection: Selection
  private let resolution: Resolution
  /// For nodes that wait: the nodes upstream that run, nearest to the start first.
  private let roots: [Roots]

  /// Decides every node against the store; nothing runs. Only those selected are shown.
  package init(
    _ plan: Plan, store: Store, stages: [any Stage.Type], selection: Selection = Selection()
  ) throws {
    self.plan = plan
    self.selection = selection
    var resolution = try Resolution(plan: plan, store: store, stages: stages)
    resolution.forced = selection.forced
    let decisions = try resolution.decideAll()
    self.decisions = decisions
    self.resolution = resolution
    var expected = ExpectedTime(resolution)
    expectedSeconds = try zip(plan.nodes, decisions).map { node, decision in
      decision.isWork && selection.contains(node.index) ? try expected.seconds(of: node) : nil
    }
    estimate = PlanEstimate(resolution, decisions)
    weights = try KeptWeights(resolution, decisions, estimate)
    roots = Roots.of(plan, decisions)
    store.saveStatCache()
  }

  private var shown: [Int] { plan.nodes.indices.filter { selection.contains($0) } }

  package var unfinished: [PlanNode] { shown.filter { decisions[$0].isWork }.map { plan.nodes[$0] } }

  /// Whether anything would run.
  package var hasWork: Bool { shown.contains { decisions[$0].isWork } }

  /// `showsCauses`: under each node that does not stand for itself, the chain to what changed first. A cause is told once.
  package func text(showsCauses: Bool = false, isColored: Bool = false) throws -> String {
    func plain(_ node: Int) -> String { TerminalText.escaped(plan.nodes[node].address) }
    let width = min(40, shown.map { TextTable.width(plain($0)) }.max() ?? 0)
    let showsTimes = expectedSeconds.contains { $0 != nil }
    let timeWidth = expectedSeconds.map { $0.map { TextTable.width(time($0)) } ?? 0 }.max() ?? 0
    var text = ""
    var told: Set<UTF8Key> = []
    for index in shown {
      let decision = decisions[index]
      let word = isColored ? decision.style.applied(to: decision.word) : decision.word
      var line = "\(TextTable.padded(plain(index), to: width))  \(word)"
      if decision.isWork {
        if showsTimes {
          line += "  " + TextTable.padded(expectedSeconds[index].map(time) ?? "?", to: timeWidth)
        }
        line += "  " + TerminalText.escaped(why(decision, whole: showsCauses))
      }
      text += TextTable.withoutTrailingSpaces(line) + "\n"
      if showsCauses {
        for detail in try details(index) {
          text += String(repeating: " ", count: width + 2) + "└ \(TerminalText.escaped(detail))\n"
        }
        for chain in try causes(index) {
          for (depth, step) in chain.enumerated() {
            let isNew = told.insert(UTF8Key(step.text)).inserted
            // What it waits for leads there line by line.
            if !isNew, depth == 0, case .waits = decision { break }
            let words = isNew ? step.text : "\(step.address), as above"
            text +=
              String(repeating: " ", count: width + 2 + 2 * depth) + "└ \(TerminalText.escaped(words))\n"
            if !isNew { break }
          }
        }
        if roots[index].hasMore { text += String(repeating: " ", count: width + 2) + "└ and others\n" }
        if case .willRun(_, let reasons) = decision {
          told.insert(UTF8Key(CauseStep(address: plan.nodes[index].address, reasons: reasons).text))
        }
      }
    }
    return text + summary + askingLines.map { TerminalText.escaped($0) + "\n" }.joined()
      + weights.lines.map { TerminalText.escaped($0) + "\n" }.joined()
  }

  private func time(_ seconds: Double) -> String { "~\(duration(seconds))" }

  /// Of many reasons the first two; `--why` and `--json` have all.
  private func why(_ decision: Decision, whole: Bool) -> String {
    switch decision {
    case .cached, .skipped: return ""
    case .willRun(_, let reasons):
      let shown = whole || reasons.count <= 3 ? reasons[...] : reasons.prefix(2)
      let rest = reasons.count - shown.count
      return (shown.map(\.text) + (rest > 0 ? ["\(rest) more"] : [])).joined(separator: "; ")
    case .waits(let upstream): return "on \(few(upstream.map { plan.nodes[$0].address }))"
    }
  }

  /// What is known of a node that runs beyond its reasons: whole values, files, and what it is compared with.
  private func details(_ index: Int) throws -> [String] {
    guard case .willRun(_, let reasons) = decisions[index] else { return [] }
    let isChanged = reasons.contains { if case .changed = $0 { true } else { false } }
    guard isChanged, let last = try resolution.lastRecord(at: plan.nodes[index].address) else { return [] }
    return reasons.flatMap(\.details)
      + ["compared with the result \(last.key.prefix(12)), which took \(duration(last.seconds))"]
  }

  /// `--json` has all of them.
  private func few(_ addresses: [String]) -> String {
    let shown = addresses.count <= 4 ? addresses : addresses.prefix(3) + ["\(addresses.count - 3) more"]
    return shown.joined(separator: ", ")
  }

  /// The ways back from a node to what changed first.
  private func causes(_ index: Int) throws -> [[CauseStep]] {
    switch decisions[index] {
    case .cached, .skipped: return []
    case .willRun: return [try resolution.rootCause(of: plan.nodes[index])]
    case .waits(let upstream):
      return try roots[index].nodes.compactMap { root in
        // What it waits for stands in its own line already.
        guard case .willRun(_, let reasons) = decisions[root],
          !upstream.contains(root) || !selection.contains(root)
        else { return nil }
        return [CauseStep(address: plan.nodes[root].address, reasons: reasons)]
          + (try resolution.rootCause(of: plan.nodes[root]))
      }
    }
  }

  private var summary: String {
    let total = RunMessages.stages(shown.count)
    var counts: [(word: String, count: Int)] = [
      ("cached", 0), ("to run", 0), ("waiting for others", 0), ("skipped", 0),
    ]
    for decision in shown.map({ decisions[$0] }) {
      switch decision {
      case .cached: counts[0].count += 1
      case .willRun: counts[1].count += 1
      case .waits: counts[2].count += 1
      case .skipped: counts[3].count += 1
      }
    }
    if counts[0].count == shown.count { return "\(total), all cached\n" }
    let parts = counts.filter { $0.count > 0 }.map { "\($0.count) \($0.word)" }
    return "\(total): " + parts.joined(separator: ", ") + (timeSummary.map { "\n\($0)" } ?? "") + "\n"
  }

  /// One after the other, as the records have it; nil when nothing is known.
  private var timeSummary: String? {
    let work = shown.map { (decisions[$0], expectedSeconds[$0]) }.filter { $0.0.isWork }
    let known = work.compactMap(\.1)
    let estimated = estimate.summary { decisions[$0].isWork && expectedSeconds[$0] == nil }
    guard !known.isEmpty else { return estimated }
    let unknown = work.count - known.count
    let waits = work.contains { if case .waits = $0.0 { true } else { false } }
    return "from earlier runs: \(waits ? "at most " : "")about \(duration(known.reduce(0, +))) of work"
      + (unknown > 0 ? ", and \(RunMessages.stages(unknown)) that never ran" : "")
      + (estimated.map { "\n\($0)" } ?? "")
  }

  /// What servers will be asked, and what that may cost.
  private var askingLines: [String] {
    var sums: [(model: ModelReference, asking: StageEstimate.Asking, unknown: Int)] = []
    for index in shown where decisions[index].isWork && !plan.nodes[index].servers.isEmpty {
      for case .model(let name) in plan.nodes[index].inputs.map(\.source) {
        // One that is started here costs nothing a token.
        guard let model = plan.models.first(where: { UTF8Key($0.name) == UTF8Key(name) }),
          let server = model.server, server.serve == nil
        else { continue }
        let place =
          sums.firstIndex { $0.model.name == model.name }
          ?? {
            sums.append((model, StageEstimate.Asking(requests: 0, promptTokens: 0, completionTokens: 0), 0))
            return sums.count - 1
          }()
        guard let asking = estimate.nodes[index]?.asking else {
          sums[place].unknown += 1
          continue
        }
        sums[place].asking.requests &+= asking.requests
        sums[place].asking.promptTokens &+= asking.promptTokens
        sums[place].asking.completionTokens &+= asking.completionTokens
      }
    }
    let lines = sums.map { model, asking, unknown in
      var parts: [String] = []
      if asking.requests > 0 {
        var words = "about \(TextTable.grouped(asking.requests)) times"
        if asking.completionTokens > 0 {
          words +=
            ": about \(TextTable.grouped(asking.promptTokens)) tokens to read, at most \(TextTable.grouped(asking.completionTokens)) to write"
          if let price = model.server?.limits.price {
            let cost = price.cost(
              promptTokens: Double(asking.promptTokens), completionTokens: Double(asking.completionTokens))
            words +=
              ", at most about \(TextTable.format(cost < 0.1 ? "%.2g" : "%.2f", cost)) \(price.currency)"
          } else {
            words += "; your configuration has no price for it"
          }
        }
        parts.append(words)
      }
      if unknown > 0 { parts.append("by \(RunMessages.stages(unknown)) of which nothing is known yet") }
      return "`\(model.name)` is asked " + parts.joined(separator: ", and ")
    }
    return lines.isEmpty ? [] : lines + ["replies that the store has are not asked for again"]
  }

  package func json() throws -> JSON {
    let nodes = try shown.map { index -> JSON in
      let node = plan.nodes[index]
      var object = JSONObject([
        ("address", .string(node.address)), ("stage", .string(node.stage)),
        ("state", .string(TextTable.withoutTrailingSpaces(decisions[index].word))),
        ("recipe_key", .string(node.recipeKey)),
      ])
      switch decisions[index] {
      case .cached(let record): object["key"] = .string(record.key)
      case .skipped: break
      case .willRun(let key, let reasons):
        object["key"] = .string(key.hex)
        object["reasons"] = .array(reasons.map(\.json))
        object["causes"] = .array(
          try resolution.rootCause(of: node).map { step in
            ["address": .string(step.address), "reasons": .array(step.reasons.map(\.json))]
          })
      case .waits(let upstream):
        object["on"] = .array(upstream.map { .string(plan.nodes[$0].address) })
        object["roots"] = .array(roots[index].nodes.map { .string(plan.nodes[$0].address) })
      }
      if decisions[index].isWork {
        object["expected_seconds"] = expectedSeconds[index].map { .double($0) } ?? .null
        object["estimate"] =
          estimate.nodes[index].map { estimate in
            [
              "seconds": estimate.seconds.map { .double($0) } ?? .null,
              "requests": estimate.asking.map { .int(Int64($0.requests)) } ?? .null,
              "prompt_tokens": estimate.asking.map { .int(Int64($0.promptTokens)) } ?? .null,
              "completion_tokens": estimate.asking.map { .int(Int64($0.completionTokens)) } ?? .null,
              "memory_bytes": estimate.memoryBytes.map { .int(Int64($0)) } ?? .null,
              "disk_bytes": .int(Int64(clamping: estimate.outputs.values.compactMap(\.bytes).reduce(0, &+))),
            ]
          } ?? .null
      }
      return .object(object)
    }
    return [
      "experiment": .string(plan.experimentName), "nodes": .array(nodes), "weights": weights.json,
    ]
  }
}

extension Decision {
  /// Whether a run would have something to do.
  package var isWork: Bool {
    switch self {
    case .cached, .skipped: false
    case .willRun, .waits: true
    }
  }

  fileprivate var style: TerminalStyle {
    switch self {
    case .cached: .green
    case .willRun: .yellow
    case .waits: .cyan
    case .skipped: .faint
    }
  }

  /// In one column.
  package var word: String {
    switch self {
    case .cached: "cached"
    case .willRun: "run   "
    case .waits: "waits "
    case .skipped: "skipped"
    }
  }
}

/// Which nodes that run a waiting node goes back to; a few are enough to explain it.
private struct Roots: Sendable {
  var nodes: [Int] = []
  var hasMore = false

  private static let most = 3

  static func of(_ plan: Plan, _ decisions: [Decision]) -> [Roots] {
    var all: [Roots] = []
    all.reserveCapacity(decisions.count)
    for (index, decision) in decisions.enumerated() {
      var roots = Roots()
      switch decision {
      case .cached, .skipped: break
      case .willRun: roots.nodes = [index]
      case .waits(let upstream):
        for node in upstream where node < index {
          roots.hasMore = roots.hasMore || all[node].hasMore
          for root in all[node].nodes where !roots.nodes.contains(root) {
            if roots.nodes.count < most { roots.nodes.append(root) } else { roots.hasMore = true }
          }
        }
      }
      all.append(roots)
    }
    return all
  }
}
