// What happens in a run, as values: the event log, the live view and the plain lines are made from these alone.

import JSON
import System

package enum RunEvent: Sendable {
  case runStarted(nodes: Int)
  case nodeCached(Int, key: String)
  /// A loop ended before it.
  case nodeSkipped(Int)
  /// Its `until` held after this iteration; `words` say by which numbers.
  case loopEnded(loop: String, iteration: Int, words: [String])
  /// `reasons` as `plan` gives them. `attempt` counts from 1.
  case nodeStarted(Int, key: String, attempt: Int, reasons: [String])
  case nodeProgress(Int, NodeProgress)
  case nodeFinished(Int, NodeRecord)
  /// `logTail`: the last lines of the log, when its end tells more than the message; `reproduce`: the command that runs
  /// this node alone.
  case nodeFailed(Int, ExitCode, message: String, logTail: [String], reproduce: String?)
  /// It will not run, since a node it needs has failed.
  case nodeBlocked(Int, by: Int)
  case nodeRetried(Int, attempt: Int, afterSeconds: Double, message: String)
  /// Interrupted at a point from which it goes on.
  case nodeStopped(Int)
  case waitingForLock(Int, holder: String)
  case stopping(signal: Int32)
  case warning(String)
  /// Something the reader may want to know while nothing else is to be seen.
  case note(String)
  case runFinished(ExitCode, seconds: Double, RunTotals)
}

package struct RunTotals: Sendable, Equatable {
  /// All that the run was about.
  package var nodes = 0
  package var executed = 0
  package var cached = 0
  /// A loop ended before them.
  package var skipped = 0
  package var failed = 0
  /// Not run because of a failed one.
  package var blocked = 0
  package init() {}
}

package struct NodeProgress: Sendable, Equatable {
  package var done: Int
  package var total: Int
  package var unit: String
  package var message: String?
  /// The most important first.
  package var values: [Value]

  package init(done: Int, total: Int, unit: String, message: String? = nil, values: [Value] = []) {
    self.done = done
    self.total = total
    self.unit = unit
    self.message = message
    self.values = values
  }

  /// A number that a stage reports with its progress.
  package struct Value: Sendable, Equatable {
    package let name: String
    package let value: Double

    package init(_ name: String, _ value: Double) {
      self.name = name
      self.value = value
    }

    /// What an event has room for.
    package static func kept(_ values: [(name: String, value: Double)]) -> [Value] {
      values.lazy.filter(\.value.isFinite).prefix(8).map { name, value in
        Value(name, Double(TextTable.format("%.4g", value)) ?? value)
      }
    }
  }

  /// Members of an event. Events of earlier versions have no `values`, nor have those of stages without any.
  package var members: [JSONObject.Member] {
    var members: [JSONObject.Member] = [
      ("done", .int(Int64(done))), ("total", .int(Int64(total))), ("unit", .string(unit)),
    ]
    if let message { members.append(("message", .string(message))) }
    if !values.isEmpty {
      members.append(("values", .object(JSONObject(values.map { ($0.name, .double($0.value)) }))))
    }
    return members
  }

  /// Nil of what is no progress.
  package init?(json: JSON) {
    guard let done = json["done"]?.intValue, let total = json["total"]?.intValue else { return nil }
    self.init(
      done: done, total: total, unit: json["unit"]?.stringValue ?? "", message: json["message"]?.stringValue,
      values: (json["values"]?.objectValue?.members ?? []).compactMap { name, value in
        value.doubleValue.flatMap { $0.isFinite ? Value(name, $0) : nil }
      })
  }
}

extension RunEvent {
  /// One line of `events.jsonl`, without its time.
  package func json(in plan: Plan) -> JSONObject {
    func node(_ index: Int) -> JSON { .string(plan.nodes[index].address) }
    var object = JSONObject()
    switch self {
    case .runStarted(let nodes):
      object["event"] = "run-started"
      object["experiment"] = .string(plan.experimentName)
      object["nodes"] = .int(Int64(nodes))
    case .nodeCached(let index, let key):
      object["event"] = "node-cached"
      object["node"] = node(index)
      object["key"] = .string(key)
    case .nodeSkipped(let index):
      object["event"] = "node-skipped"
      object["node"] = node(index)
    case .loopEnded(let loop, let iteration, let words):
      object["event"] = "loop-ended"
      object["loop"] = .string(loop)
      object["iteration"] = .int(Int64(iteration))
      object["because"] = .array(words.map { .string($0) })
    case .nodeStarted(let index, let key, let attempt, let reasons):
      object["event"] = "node-started"
      object["node"] = node(index)
      object["key"] = .string(key)
      object["attempt"] = .int(Int64(attempt))
      object["reasons"] = .array(reasons.map { .string($0) })
    case .nodeProgress(let index, let progress):
      object["event"] = "node-progress"
      object["node"] = node(index)
      for (name, value) in progress.members { object[name] = value }
    case .nodeFinished(let index, let record):
      object["event"] = "node-finished"
      object["node"] = node(index)
      object["key"] = .string(record.key)
      object["seconds"] = .double(record.seconds)
      object["measures"] = .object(JSONObject(record.measures.map { ($0.name, .double($0.value)) }))
      object["outputs"] = .array(record.outputs.map(\.json))
    case .nodeFailed(let index, let code, let message, let tail, let reproduce):
      object["event"] = "node-failed"
      object["node"] = node(index)
      object["exit"] = .int(Int64(code.rawValue))
      object["message"] = .string(message)
      object["log_tail"] = .array(tail.map { .string($0) })
      if let reproduce { object["reproduce"] = .string(reproduce) }
    case .nodeBlocked(let index, let failed):
      object["event"] = "node-blocked"
      object["node"] = node(index)
      object["by"] = node(failed)
    case .nodeRetried(let index, let attempt, let seconds, let message):
      object["event"] = "node-retried"
      object["node"] = node(index)
      object["attempt"] = .int(Int64(attempt))
      object["after_seconds"] = .double(seconds)
      object["message"] = .string(message)
    case .nodeStopped(let index):
      object["event"] = "node-stopped"
      object["node"] = node(index)
    case .waitingForLock(let index, let holder):
      object["event"] = "waiting-for-lock"
      object["node"] = node(index)
      object["holder"] = .string(holder)
    case .stopping(let signal):
      object["event"] = "stopping"
      object["signal"] = .string(signalName(signal))
    case .warning(let text):
      object["event"] = "warning"
      object["message"] = .string(text)
    case .note(let text):
      object["event"] = "note"
      object["message"] = .string(text)
    case .runFinished(let code, let seconds, let totals):
      object["event"] = "run-finished"
      object["exit"] = .int(Int64(code.rawValue))
      object["seconds"] = .double(seconds)
      object["nodes"] = .int(Int64(totals.nodes))
      object["executed"] = .int(Int64(totals.executed))
      object["cached"] = .int(Int64(totals.cached))
      object["skipped"] = .int(Int64(totals.skipped))
      object["failed"] = .int(Int64(totals.failed))
      object["blocked"] = .int(Int64(totals.blocked))
    }
    return object
  }
}
