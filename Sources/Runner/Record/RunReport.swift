// `plumb show` and `plumb status`: one run with its stages, and what is running or interrupted now.

import Charts
import JSON
import System

package struct RunReport {
  private let run: RunSummary
  private let nodes: [RunNode]
  private let evaluations: EvaluationTable

  package init(_ run: RunSummary) throws {
    self.run = run
    nodes = try RunNode.read(run.path)
    evaluations = EvaluationTable(of: run)
  }

  private var howItEnded: String {
    switch run.state {
    case .running: "running, process \(run.process) on \(run.host)"
    case .done: "done"
    case .ended: "trial \(run.trial?.number ?? 0), up to iteration \(run.trial?.iterations ?? 0)"
    case .failed: "failed, exit \(run.exitCode ?? 1)"
    case .interrupted: run.exitCode == nil ? "process died, last event \(run.lastEvent)" : "interrupted"
    }
  }

  package var text: String { text(columns: nil).text }

  /// - Parameter columns: of a terminal, for which columns of the tables are left out; nil for all of them.
  /// - Returns: also the names of what was left out.
  package func text(columns: Int?) -> (text: String, hidden: [String]) {
    var facts: [(String, String)] = [
      ("run", run.id), ("experiment", run.experiment), ("state", howItEnded), ("began", run.started),
    ]
    if let seconds = run.seconds { facts.append(("took", duration(seconds))) }
    facts.append(
      ("stages", "\(run.nodes): \(run.executed) run, \(run.cached) cached"))
    if !run.command.isEmpty { facts.append(("command", run.command)) }
    facts.append(("directory", run.path))
    for member in run.parameters.members {
      facts.append(("param \(member.key)", RunTable.shown(member.value)))
    }
    for member in run.metrics.members {
      let curve = Sparkline.text((member.value.arrayValue ?? []).compactMap(\.doubleValue))
      facts.append(
        ("metric \(member.key)", RunTable.shown(member.value) + (curve.isEmpty ? "" : "  \(curve)")))
    }
    let width = facts.map { TextTable.width(TerminalText.escaped($0.0)) }.max() ?? 0
    var text = facts.map { name, value in
      "\(TextTable.padded(TerminalText.escaped(name), to: width))  \(TerminalText.escaped(value))\n"
    }.joined()
    let (table, leftOut) = columns.map { evaluations.text(columns: $0) } ?? (evaluations.text, [])
    var hidden = leftOut
    if !table.isEmpty { text += "\n" + table }
    if !nodes.isEmpty {
      let rows = nodes.map { node in
        [
          node.address, node.state.rawValue, node.seconds.map(duration) ?? "",
          node.key.map { String($0.prefix(12)) } ?? "",
        ]
      }
      let all = [["stage", "state", "took", "key"]] + rows
      let fitting =
        columns.map { TextTable.fitting(all, to: $0, dropping: [3, 2, 1]) } ?? (rows: all, dropped: [])
      text += "\n" + TextTable.aligned(fitting.rows)
      hidden += fitting.dropped.map { all[0][$0] }
      let observed = nodes.filter { !$0.observed.isEmpty }
      if !observed.isEmpty {
        let servers = observed.flatMap(\.observed).distinct().map { "`\($0)`" }.joined(separator: ", ")
        let names = observed.map(\.address).joined(separator: ", ")
        text +=
          TerminalText.escaped(
            "observed: \(names): made of what \(servers) replied; the replies are kept, and asking again may give others"
          ) + "\n"
      }
      for node in nodes where node.message != nil {
        text += "\(TerminalText.escaped(node.address)): \(TerminalText.escaped(node.message ?? ""))\n"
      }
    }
    return (text, hidden)
  }

  package var json: JSON {
    var object = run.json.objectValue ?? JSONObject()
    object["state"] = .string(run.state.rawValue)
    object["evaluations"] = evaluations.json
    object["stages"] = .array(
      nodes.map { node in
        [
          "address": .string(node.address), "stage": .string(node.stage),
          "state": .string(node.state.rawValue),
          "seconds": node.seconds.map { .double($0) } ?? .null, "key": node.key.map { .string($0) } ?? .null,
          "message": node.message.map { .string($0) } ?? .null,
          "observed": .array(node.observed.map { .string($0) }),
          "outputs": .object(JSONObject(node.outputs.map { ($0.port, .string($0.digest)) })),
        ]
      })
    return .object(object)
  }

  package static func json(of reports: [RunReport]) -> JSON { .array(reports.map(\.json)) }

  /// What a person wants to know who comes back to the machine: the run's line, its running stages, how to go on.
  package var status: String {
    let done = nodes.count { $0.state == .done || $0.state == .cached }
    var text =
      "\(TerminalText.escaped("\(run.experiment) \(run.id)"))  \(howItEnded); \(done) of \(RunMessages.stages(run.nodes)) done\n"
    for node in nodes where node.state == .running || node.state == .failed {
      let isRunning = node.state == .running && run.state == .running
      var line = "  \(isRunning ? "running" : node.state == .failed ? "failed " : "stopped")  \(node.address)"
      if let progress = node.progress {
        line +=
          "  \(progress.done)/\(progress.total) \(progress.unit)"
          + (progress.message.map { " · \($0)" } ?? "")
        let curve = Sparkline.text(node.series.first?.points.map(\.value) ?? [])
        if !curve.isEmpty { line += "  \(curve)" }
      }
      if let message = node.message { line += "  \(message)" }
      text += TerminalText.escaped(line) + "\n"
    }
    if run.state != .running, run.state != .done, !run.command.isEmpty {
      text += TerminalText.escaped("  to resume: \(run.command)") + "\n"
    }
    return text
  }
}
