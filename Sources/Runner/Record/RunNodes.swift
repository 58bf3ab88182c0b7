// The nodes of a run, from its plan and its events.

import JSON
import System

package struct RunNode: Sendable {
  package let address: String
  package let stage: String
  package let options: JSON
  /// The outputs and models that it reads, `before.rows`, by port.
  package let inputs: [(port: String, sources: [String])]
  /// The servers that it asks: what it gives is observed, not computed.
  package let observed: [String]
  /// Nil when the run did not come so far.
  package var key: String?
  package var state: State
  /// Of the computation in this run.
  package var seconds: Double?
  package var startTime: String?
  package var progress: NodeProgress?
  /// What its progress was reported with, as often as the run's events have it.
  package private(set) var series: [Series] = []
  package var message: String?
  /// Digests by port, where this run computed them.
  package var outputs: [(port: String, digest: String, size: Int)] = []

  package enum State: String, Sendable { case pending, cached, running, done, failed, stopped, skipped }

  /// A number over the work done.
  package struct Series: Sendable {
    package let name: String
    /// By `done`.
    package fileprivate(set) var points: [(done: Int, value: Double)]

    fileprivate mutating func removeEnd(from done: Int) {
      while let last = points.last, last.done >= done { points.removeLast() }
    }
  }

  /// Whether something came of it in this run, or may come yet.
  package var hasBegun: Bool { state != .pending && state != .skipped }

  /// In the order of the plan.
  package static func read(_ run: String) throws -> [RunNode] {
    let plan = try JSON(parsing: try File.read("\(run)/plan.json"))
    var nodes = (plan["nodes"]?.arrayValue ?? []).map { node in
      RunNode(
        address: node["address"]?.stringValue ?? "", stage: node["stage"]?.stringValue ?? "",
        options: node["options"] ?? .null, inputs: inputs(node["inputs"]),
        observed: node["observed"]?.arrayValue?.compactMap(\.stringValue) ?? [],
        key: node["key"]?.stringValue,
        state: .pending)
    }
    var places: [UTF8Key: Int] = [:]
    for (index, node) in nodes.enumerated() { places[UTF8Key(node.address)] = index }
    try RunEvents.read(run) { event in
      guard let place = event["node"]?.stringValue.flatMap({ places[UTF8Key($0)] }) else { return }
      nodes[place].take(event)
    }
    return nodes
  }

  private static func inputs(_ json: JSON?) -> [(port: String, sources: [String])] {
    (json?.objectValue?.members ?? []).map { port, value in
      let sources =
        value.arrayValue?.compactMap { $0["source"]?.stringValue } ?? [value.stringValue].compactMap { $0 }
      return (port, sources)
    }
  }

  private mutating func take(_ event: JSON) {
    if let key = event["key"]?.stringValue { self.key = key }
    switch event["event"]?.stringValue {
    case "node-cached": state = .cached
    case "node-started":
      state = .running
      startTime = event["time"]?.stringValue
      progress = nil
    case "node-progress":
      guard let news = NodeProgress(json: event) else { return }
      progress = news
      // An attempt after another goes on from a checkpoint: what was reported from there on is reported anew.
      for place in series.indices { series[place].removeEnd(from: news.done) }
      for (place, value) in news.values.enumerated() { append(value, at: news.done, newAt: place) }
    case "node-finished":
      state = .done
      seconds = event["seconds"]?.doubleValue
      outputs = (event["outputs"]?.arrayValue ?? []).compactMap(StoredOutput.init(json:)).map {
        ($0.port, $0.digest.hex, $0.size)
      }
    case "node-failed":
      state = .failed
      message = event["message"]?.stringValue
    case "node-retried": state = .pending
    case "node-stopped": state = .stopped
    case "node-skipped": state = .skipped
    default: break
    }
  }

  /// - Parameter newAt: the place among the others of a number that was not reported before.
  private mutating func append(_ value: NodeProgress.Value, at done: Int, newAt: Int) {
    let known = series.firstIndex { UTF8Key($0.name) == UTF8Key(value.name) }
    let place = known ?? min(newAt, series.count)
    if known == nil { series.insert(Series(name: value.name, points: []), at: place) }
    series[place].points.append((done, value.value))
  }

  /// Where a run keeps what a stage printed.
  package static func logPath(_ run: String, _ address: String) -> String {
    var name = String.UnicodeScalarView()
    for scalar in address.unicodeScalars { name.append(scalar == "/" || scalar == "\0" ? "_" : scalar) }
    return "\(run)/logs/\(String(name)).log"
  }
}
