// What trials measured first: a file of facts beside an experiment's runs, which only grows.

import Glibc
import JSON
import System

/// `runs/NAME/trials.jsonl`, a fact a line. What a sweep suggests and ends follows from first outcomes, so that a retry, a stage that is
/// forced, or a store that lost something changes no trial. A line that cannot be read costs that line.
package final class TrialRecord {
  package enum Measurement: Equatable, Sendable {
    case value(Double)
    case failed
  }

  private struct Question: Hashable {
    let identity: String
    let metric: String
    let iterations: Int?
  }

  private struct Place: Hashable {
    let sweep: String
    let trial: Int
  }

  private let path: String
  private var measured: [Question: Measurement] = [:]
  /// By sweep, in the order in which they came: the trials that `asha` compares.
  private var arrivals: [String: [(identity: String, iterations: Int, value: Double?)]] = [:]
  private var removed: Set<Place> = []
  /// Sweeps whose definitions are there.
  private var known: Set<String> = []

  /// - Parameter runs: the folder of all runs.
  package init(runs: String, experiment: String) throws {
    path = "\(runs)/\(experiment)/trials.jsonl"
    guard FileStatus.of(path) != nil else { return }
    for line in try File.read(path).split(separator: 0x0A) {
      if let json = try? JSON(parsing: Array(line)) { read(json) }
    }
  }

  private func read(_ json: JSON) {
    if let sweep = json["sweep"]?.stringValue, let trial = json["removed"]?.intValue {
      removed.insert(Place(sweep: sweep, trial: trial))
    } else if let sweep = json["sweep"]?.stringValue, let identity = json["arrived"]?.stringValue,
      let iterations = json["iterations"]?.intValue
    {
      arrivals[sweep, default: []].append((identity, iterations, json["value"]?.doubleValue))
    } else if let sweep = json["sweep"]?.stringValue, json["definition"] != nil {
      known.insert(sweep)
    } else if let identity = json["identity"]?.stringValue, let metric = json["metric"]?.stringValue {
      let question = Question(identity: identity, metric: metric, iterations: json["iterations"]?.intValue)
      if measured[question] == nil {
        measured[question] = json["value"]?.doubleValue.map { .value($0) } ?? .failed
      }
    }
  }

  /// In a folder that may only be read a fact is known to this process alone; whoever may write finds it in the store.
  private func note(_ json: JSON) throws {
    do { try append(json) } catch let error as SystemError where error.isDenied { read(json) }
  }

  private func append(_ json: JSON) throws {
    try File.makeDirectory(Path.parent(path))
    let file = try File.open(path, O_RDWR | O_CREAT | O_APPEND)
    defer { file.closeQuietly() }
    try file.waitForLock()
    // After a line that a crash cut, a new one begins.
    let size = try file.status().size
    var last: UInt8 = 0x0A
    if size > 0 { pread(file.descriptor, &last, 1, off_t(size - 1)) }
    try file.writeAll((last == 0x0A ? "" : "\n") + json.text() + "\n")
    try file.synchronize()
    read(json)
  }

  // MARK: measurements

  func first(_ identity: String, _ metric: String, iterations: Int?) -> Measurement? {
    measured[Question(identity: identity, metric: metric, iterations: iterations)]
  }

  /// - Parameter settings: for people who read the file.
  func add(
    _ measurement: Measurement, _ identity: String, _ metric: String, iterations: Int?, settings: [String]
  ) throws {
    guard first(identity, metric, iterations: iterations) == nil else { return }
    // Of a failure null, and of a number that is not finite, which counts as one.
    var value: JSON = .null
    if case .value(let number) = measurement, number.isFinite { value = .double(number) }
    try note([
      "identity": .string(identity), "metric": .string(metric),
      "iterations": iterations.map { .int(Int64($0)) } ?? .null, "value": value,
      "settings": .array(settings.map { .string($0) }), "time": .string(Timestamp.now().text),
    ])
  }

  // MARK: sweeps

  /// What a sweep is, once: its method, parameters, seed, lag and goal.
  func note(_ sweep: String, _ definition: JSON) throws {
    guard known.insert(sweep).inserted else { return }
    try note([
      "sweep": .string(sweep), "definition": definition, "time": .string(Timestamp.now().text),
    ])
  }

  // MARK: arrivals

  /// Those at a rung, in the order in which they came.
  func arrivals(_ sweep: String, iterations: Int) -> [(identity: String, value: Double?)] {
    (arrivals[sweep] ?? []).filter { $0.iterations == iterations }.map { ($0.identity, $0.value) }
  }

  func arrive(_ sweep: String, _ identity: String, iterations: Int, value: Double?) throws {
    guard !arrivals(sweep, iterations: iterations).contains(where: { $0.identity == identity }) else {
      return
    }
    try note([
      "sweep": .string(sweep), "arrived": .string(identity), "iterations": .int(Int64(iterations)),
      "value": value.map { .double($0) } ?? .null, "time": .string(Timestamp.now().text),
    ])
  }

  // MARK: removals

  func isRemoved(_ sweep: String, trial: Int) -> Bool { removed.contains(Place(sweep: sweep, trial: trial)) }

  func remove(_ sweep: String, trial: Int) throws {
    guard !isRemoved(sweep, trial: trial) else { return }
    try append([
      "sweep": .string(sweep), "removed": .int(Int64(trial)), "time": .string(Timestamp.now().text),
    ])
  }
}
