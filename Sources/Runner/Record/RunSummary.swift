// A run as its directory tells it: what it was, how far it came, what it measured. The directory is the truth.

import Glibc
import JSON
import System

package struct RunSummary: Sendable, Equatable {
  /// The run's directory, absolute.
  package var path: String
  package var id: String
  package var experiment: String
  package var command: String
  /// The experiment's, by its path in the project where it is there; nil of a run that had none, or is of an earlier program.
  package var file: String?
  package var host: String
  package var process: Int
  /// `2026-05-12T09:30:00.123Z`
  package var started: String
  /// The time of the last event.
  package var lastEvent: String
  /// Nil while it runs, and for good when it died without a word.
  package var exitCode: Int?
  package var seconds: Double?
  package var nodes: Int
  package var executed: Int
  package var cached: Int
  package var parameters: JSONObject
  /// The declared metrics; those over several iterations are lists.
  package var metrics: JSONObject
  /// Of a sweep.
  package var trial: RunTrial?

  package static func == (a: Self, b: Self) -> Bool { a.json == b.json }

  package enum State: String, Sendable {
    case running, done, failed, interrupted
    /// A trial of a sweep as far as it was to be compared; where it went on, a later run has all of it.
    case ended
  }

  /// Asks the kernel whether the run's process still holds its lock, unless the run said how it ended.
  package var state: State {
    switch exitCode {
    case 0? where trial?.iterations != nil: .ended
    case 0?: .done
    case 75?, 130?, 143?: .interrupted
    case .some: .failed
    case nil: RunDirectory.isHeld(path) ? .running : .interrupted
    }
  }

  /// The same for runs of one experiment with the same parameters.
  package var settings: String { "\(experiment)\n\(JSON.object(parameters).text(.canonical))" }

  /// Whether all of it had been computed before.
  package var hadNothingToDo: Bool { state == .done && nodes > 0 && executed == 0 }

  // MARK: reading a directory

  /// Nil when the directory holds no run. What was cut off by a crash is left out.
  package init?(directory path: String) throws {
    guard FileStatus.of("\(path)/events.jsonl") != nil else { return nil }
    self.path = path
    id = Path.name(path)
    experiment = Path.name(Path.parent(path))
    let start = RunSummary.object("\(path)/run.json")
    command = start["command"]?.stringValue ?? ""
    file = start["file"]?.stringValue
    host = start["host"]?.stringValue ?? ""
    process = start["process"]?.intValue ?? 0
    parameters = start["parameters"]?.objectValue ?? JSONObject()
    metrics = RunSummary.object("\(path)/metrics.json")
    trial = start["trial"].flatMap { RunTrial(json: $0) }
    started = start["started"]?.stringValue ?? ""
    lastEvent = started
    nodes = 0
    executed = 0
    cached = 0
    try RunEvents.read(path) { event in
      if let time = event["time"]?.stringValue {
        if started.isEmpty { started = time }
        lastEvent = time
      }
      switch event["event"]?.stringValue {
      case "run-started": nodes = event["nodes"]?.intValue ?? 0
      case "node-cached": cached += 1
      case "node-finished": executed += 1
      case "run-finished":
        exitCode = event["exit"]?.intValue
        seconds = event["seconds"]?.doubleValue
      default: break
      }
    }
  }

  private static func object(_ path: String) -> JSONObject {
    guard let bytes = try? File.read(path), let json = try? JSON(parsing: bytes) else { return JSONObject() }
    return json.objectValue ?? JSONObject()
  }

  // MARK: as JSON

  package var json: JSON {
    [
      "path": .string(path), "id": .string(id), "experiment": .string(experiment),
      "command": .string(command), "file": file.map { .string($0) } ?? .null,
      "host": .string(host), "process": .int(Int64(process)), "started": .string(started),
      "last_event": .string(lastEvent), "exit": exitCode.map { .int(Int64($0)) } ?? .null,
      "seconds": seconds.map { .double($0) } ?? .null, "nodes": .int(Int64(nodes)),
      "executed": .int(Int64(executed)), "cached": .int(Int64(cached)), "parameters": .object(parameters),
      "metrics": .object(metrics), "trial": trial?.json ?? .null,
    ]
  }

  package init?(json: JSON) {
    guard let path = json["path"]?.stringValue, let id = json["id"]?.stringValue,
      let experiment = json["experiment"]?.stringValue, let command = json["command"]?.stringValue,
      let host = json["host"]?.stringValue, let process = json["process"]?.intValue,
      let started = json["started"]?.stringValue, let lastEvent = json["last_event"]?.stringValue,
      let nodes = json["nodes"]?.intValue, let executed = json["executed"]?.intValue,
      let cached = json["cached"]?.intValue, let parameters = json["parameters"]?.objectValue,
      let metrics = json["metrics"]?.objectValue
    else { return nil }
    self.path = path
    self.id = id
    self.experiment = experiment
    self.command = command
    file = json["file"]?.stringValue
    self.host = host
    self.process = process
    self.started = started
    self.lastEvent = lastEvent
    exitCode = json["exit"]?.intValue
    seconds = json["seconds"]?.doubleValue
    self.nodes = nodes
    self.executed = executed
    self.cached = cached
    self.parameters = parameters
    self.metrics = metrics
    trial = json["trial"].flatMap { RunTrial(json: $0) }
  }

  /// A metric as one number: of a series the last.
  package func metric(_ name: String) -> Double? {
    guard let value = metrics[name] else { return nil }
    return value.doubleValue ?? value.arrayValue?.last?.doubleValue
  }
}

/// The lines of `events.jsonl`.
package enum RunEvents {
  /// Lines that are not JSON (the last, when the machine died in it) are passed over.
  package static func read(_ run: String, _ body: (JSON) throws -> Void) throws {
    for line in try File.read("\(run)/events.jsonl").split(separator: 0x0A) {
      if let event = try? JSON(parsing: Array(line)) { try body(event) }
    }
  }
}
