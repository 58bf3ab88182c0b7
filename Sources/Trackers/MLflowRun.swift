// A run at an MLflow server: what of its folder the server has not been told yet, and telling it.

import JSON
import Runner
import System

/// The run's folder and the store are what there is to tell, so that nothing has to be kept for later: whatever was not sent is found again.
/// What was sent stands in the folder, in `mlflow.json`.
package struct MLflowRun {
  private let run: String
  private let store: Store
  private let server: MLflowServer
  private let experiment: String
  private var state: State

  /// What the server knows.
  private struct State {
    var uri: String
    var experiment = ""
    var run = ""
    var hasParameters = false
    /// Addresses of the stages whose numbers it has.
    var sent: Set<String> = []
    /// How the run ended, as it was told.
    var status = ""

    init(uri: String) { self.uri = uri }

    init?(json: JSON) {
      guard let uri = json["uri"]?.stringValue, let experiment = json["experiment_id"]?.stringValue,
        let run = json["run_id"]?.stringValue, let sent = json["sent"]?.arrayValue
      else { return nil }
      (self.uri, self.experiment, self.run) = (uri, experiment, run)
      hasParameters = json["has_parameters"]?.boolValue ?? false
      self.sent = Set(sent.compactMap(\.stringValue))
      status = json["status"]?.stringValue ?? ""
    }

    var json: JSON {
      [
        "uri": .string(uri), "experiment_id": .string(experiment), "run_id": .string(run),
        "has_parameters": .bool(hasParameters), "sent": .array(sent.sorted().map { .string($0) }),
        "status": .string(status),
      ]
    }
  }

  private static let file = "mlflow.json"
  /// What a request holds at most; the server takes 1,000 numbers, 100 parameters and 1 MB.
  private static let (numbers, parameters) = (300, 50)

  /// - Throws: where the run's folder cannot be read.
  package init(_ run: String, store: Store, to settings: Tracking.MLflow) throws {
    self.run = run
    self.store = store
    server = MLflowServer(uri: settings.uri)
    experiment = settings.experiment ?? Path.name(Path.parent(run))
    let known = (try? File.read("\(run)/\(Self.file)")).flatMap { try? JSON(parsing: $0) }.flatMap(
      State.init(json:))
    state = known?.uri == settings.uri ? known ?? State(uri: settings.uri) : State(uri: settings.uri)
  }

  /// Tells all that is new.
  /// - Throws: `MLflowError` where the server does not take it; what it took is noted.
  package mutating func send() throws {
    guard let summary = try RunSummary(directory: run) else { return }
    if state.run.isEmpty { try begin(summary) }
    if !state.hasParameters { try sendParameters(summary) }
    try sendNumbers()
    try end(summary)
  }

  /// Whether the experiment of a run speaks of MLflow at all; quick, where thousands have to be asked.
  package static func isWanted(by run: String) -> Bool {
    let files =
      [RunDirectory.experimentName].map { "\(run)/\($0)" }
      + RunDirectory.otherFiles(of: run).map { "\(run)/files/\($0.name)" }
    return files.contains { path in
      (try? File.read(path)).map { $0.firstRange(of: Array("mlflow".utf8)) != nil } ?? false
    }
  }

  /// Whether the server has been told all of a run that has ended.
  package var isComplete: Bool { !state.status.isEmpty }

  private mutating func note(_ change: (inout State) -> Void) throws {
    change(&state)
    try File.writeDurably(state.json.text(.pretty) + "\n", to: "\(run)/\(Self.file)")
  }

  private mutating func begin(_ summary: RunSummary) throws {
    if state.experiment.isEmpty {
      let id = try experimentID()
      try note { $0.experiment = id }
    }
    // An answer that was lost may have made the run already.
    let found = try server.post(
      "runs/search",
      [
        "experiment_ids": [.string(state.experiment)], "max_results": 1,
        "filter": .string("tags.`\(Self.runTag)` = '\(summary.id)'"),
      ])
    let id = try found["runs"]?.arrayValue?.first?["info"]?["run_id"]?.stringValue ?? makeRun(summary)
    try note { $0.run = id }
  }

  private func experimentID() throws -> String {
    let found = try server.get("experiments/get-by-name", ("experiment_name", experiment))
    let id =
      try found?["experiment"]?["experiment_id"]?.stringValue
      ?? server.post("experiments/create", ["name": .string(experiment)])["experiment_id"]?.stringValue
    guard let id else { throw MLflowError(status: nil, message: "`\(state.uri)` names no experiment") }
    return id
  }

  private static let runTag = "plumb.run"

  private func makeRun(_ summary: RunSummary) throws -> String {
    let tags: [(String, String)] =
      [
        ("mlflow.source.name", summary.file ?? ""), ("mlflow.source.type", "LOCAL"),
        (Self.runTag, summary.id), ("plumb.command", summary.command), ("plumb.folder", summary.path),
      ] + (summary.trial.map { [("plumb.trial", String($0.number))] } ?? [])
    let made = try server.post(
      "runs/create",
      [
        "experiment_id": .string(state.experiment), "run_name": .string(summary.id),
        "start_time": .int(Self.milliseconds(summary.started)),
        "tags": .array(tags.map { ["key": .string($0.0), "value": .string(String($0.1.prefix(4_000)))] }),
      ])
    guard let id = made["run"]?["info"]?["run_id"]?.stringValue else {
      throw MLflowError(status: nil, message: "`\(state.uri)` made no run")
    }
    return id
  }

  private mutating func sendParameters(_ summary: RunSummary) throws {
    let all = summary.parameters.members.map { name, value -> JSON in
      ["key": .string(Self.name(name)), "value": .string(String(RunTable.plain(value).prefix(6_000)))]
    }
    for start in stride(from: 0, to: all.count, by: Self.parameters) {
      let part = Array(all[start..<min(all.count, start + Self.parameters)])
      _ = try server.post("runs/log-batch", ["run_id": .string(state.run), "params": .array(part)])
    }
    try note { $0.hasParameters = true }
  }

  private mutating func sendNumbers() throws {
    var numbers = TrackedNumbers()
    for node in try RunNode.read(run) {
      guard let key = node.key, node.state == .done || node.state == .cached,
        let record = try store.unverifiedRecord(key)
      else { continue }
      for output in record.outputs where output.type == .metrics {
        let metrics = try JSON(parsing: try File.read(try store.readingPath(output)))
        let taken = numbers.take(metrics, of: node.address)
        guard !state.sent.contains(node.address) else { continue }
        try send(taken, at: Self.milliseconds(node.startTime))
      }
      if !state.sent.contains(node.address), record.outputs.contains(where: { $0.type == .metrics }) {
        try note { $0.sent.insert(node.address) }
      }
    }
  }

  private func send(_ numbers: [TrackedNumber], at time: Int64) throws {
    for start in stride(from: 0, to: numbers.count, by: Self.numbers) {
      let part = numbers[start..<min(numbers.count, start + Self.numbers)].map { number -> JSON in
        [
          "key": .string(Self.name(number.name)), "value": Self.value(number.value), "timestamp": .int(time),
          "step": .int(Int64(number.step)),
        ]
      }
      _ = try server.post("runs/log-batch", ["run_id": .string(state.run), "metrics": .array(part)])
    }
  }

  /// The status comes last: one that was told says that all was.
  private mutating func end(_ summary: RunSummary) throws {
    let status: String
    switch summary.state {
    case .running: return
    case .done, .ended: status = "FINISHED"
    case .failed: status = "FAILED"
    case .interrupted: status = "KILLED"
    }
    guard state.status != status else { return }
    for name in ["report.html", RunDirectory.experimentName, "metrics.json"]
    where FileStatus.of("\(run)/\(name)") != nil {
      try server.upload("\(run)/\(name)", to: "\(state.experiment)/\(state.run)/artifacts/\(name)")
    }
    _ = try server.post(
      "runs/update",
      [
        "run_id": .string(state.run), "status": .string(status),
        "end_time": .int(Self.milliseconds(summary.lastEvent)),
      ])
    try note { $0.status = status }
  }

  /// As JSON of protocol buffers has numbers that JSON has not.
  private static func value(_ number: Double) -> JSON {
    number.isNaN
      ? "NaN" : number.isInfinite ? .string(number > 0 ? "Infinity" : "-Infinity") : .double(number)
  }

  /// What MLflow takes in a name: letters of ASCII, digits, `_`, `-`, `.`, space and `/`; at most 250 of them.
  private static func name(_ text: String) -> String {
    String(
      text.unicodeScalars.map { scalar -> Character in
        let isTaken = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
        return isTaken || "_-. /".unicodeScalars.contains(scalar) ? Character(scalar) : "_"
      }.prefix(250))
  }

  private static func milliseconds(_ time: String?) -> Int64 {
    let time = time.flatMap(Timestamp.init(text:)) ?? Timestamp.now()
    return Int64(time.secondsSince1970 * 1000)
  }
}
