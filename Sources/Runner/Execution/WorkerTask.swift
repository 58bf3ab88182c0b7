// What a worker is asked to do: one node, or one shard of it, as a file.

import JSON
import System

/// An artifact that a node reads: where it lies, and by which label a port that collects tells it from others.
package struct NodeInput: Sendable {
  package var port: String
  package var type: ArtifactType
  package var path: String
  package var label: String?
  package var columns: ColumnTable
  /// What people call it: the stage that wrote it and its output, `score.rows`. Nil for what is not the store's.
  package var name: String?
  /// Of a model behind a server, whose path is its address.
  package var server: ServerModel?
  package init(
    port: String, type: ArtifactType, path: String, label: String? = nil,
    columns: ColumnTable = ColumnTable(),
    name: String? = nil, server: ServerModel? = nil
  ) {
    self.port = port
    self.type = type
    self.path = path
    self.label = label
    self.columns = columns
    self.name = name
    self.server = server
  }
}

package struct WorkerTask: Sendable {
  package var address: String
  package var stage: String
  package var key: String
  package var options: JSON
  package var inputs: [NodeInput]
  package var seed: UInt64
  package var numericMode: String
  package var threads: Int
  package var engine: JSON
  package var shard: Shard?
  /// Where its outputs go; empty to leave them where they are written.
  package var store: String
  /// Private to this node's attempt.
  package var scratch: String
  package var output: String
  package var checkpointDirectory: String
  package var checkpointSeconds: Double
  package var journalDirectory: String
  /// Where replies of servers are kept.
  package var repliesDirectory: String
  /// Whether a server may be asked for what is not kept.
  package var mayAsk = true

  package var json: JSON {
    [
      "address": .string(address), "stage": .string(stage), "key": .string(key), "options": options,
      "inputs": .array(
        inputs.map {
          [
            "port": .string($0.port), "type": .string($0.type.rawValue), "path": .string($0.path),
            "label": $0.label.map { .string($0) } ?? .null, "columns": $0.columns.json,
            "name": $0.name.map { .string($0) } ?? .null, "server": $0.server?.json ?? .null,
          ]
        }),
      "seed": .string(String(seed, radix: 16)), "numeric_mode": .string(numericMode),
      "threads": .int(Int64(threads)),
      "engine": engine,
      "shard": shard.map { ["index": .int(Int64($0.index)), "count": .int(Int64($0.count))] } ?? .null,
      "store": .string(store), "scratch": .string(scratch), "output": .string(output),
      "checkpoint_directory": .string(checkpointDirectory), "checkpoint_seconds": .double(checkpointSeconds),
      "journal_directory": .string(journalDirectory), "replies_directory": .string(repliesDirectory),
      "may_ask": .bool(mayAsk),
    ]
  }
}

extension WorkerTask {
  /// A stage knows its inputs by their paths. In what it says of them, each is called by the stage that wrote it rather than by
  /// the place where the store keeps it.
  func named(_ message: String) -> String {
    inputs.reduce(message) { text, input in input.name.map { text.replacing(input.path, with: $0) } ?? text }
  }

  /// - Throws: `RunError` when the file is not one that a run has written.
  package init(path: String) throws {
    let json = try JSON(parsing: try File.read(path), maximumDepth: 128)
    func field<T>(_ name: String, _ read: (JSON) -> T?) throws -> T {
      guard let value = json[name].flatMap(read) else {
        throw RunError(.commandLine, "`\(path)` is not a worker's task: no valid `\(name)`")
      }
      return value
    }
    address = try field("address", \.stringValue)
    stage = try field("stage", \.stringValue)
    key = try field("key", \.stringValue)
    options = try field("options") { $0 }
    inputs = try field("inputs", \.arrayValue).map { input in
      guard let port = input["port"]?.stringValue, let path = input["path"]?.stringValue,
        let type = input["type"]?.stringValue.flatMap(ArtifactType.init(rawValue:)),
        let columns = input["columns"].flatMap(ColumnTable.init(json:))
      else { throw RunError(.commandLine, "`\(path)` is not a worker's task: no valid `inputs`") }
      return NodeInput(
        port: port, type: type, path: path, label: input["label"]?.stringValue, columns: columns,
        name: input["name"]?.stringValue, server: input["server"].flatMap(ServerModel.init(json:)))
    }
    seed = try field("seed") { $0.stringValue.flatMap { UInt64($0, radix: 16) } }
    numericMode = try field("numeric_mode", \.stringValue)
    threads = try field("threads", \.intValue)
    engine = try field("engine") { $0 }
    shard = try field("shard") { value -> Shard?? in
      if value.isNull { return .some(nil) }
      guard let index = value["index"]?.intValue, let count = value["count"]?.intValue else { return nil }
      return Shard(index: index, count: count)
    }
    store = try field("store", \.stringValue)
    scratch = try field("scratch", \.stringValue)
    output = try field("output", \.stringValue)
    checkpointDirectory = try field("checkpoint_directory", \.stringValue)
    checkpointSeconds = try field("checkpoint_seconds", \.doubleValue)
    journalDirectory = try field("journal_directory", \.stringValue)
    repliesDirectory = try field("replies_directory", \.stringValue)
    mayAsk = try field("may_ask", \.boolValue)
  }
}

/// What a worker says while it works: one JSON object per line.
package enum WorkerEvent: Sendable {
  case progress(NodeProgress)
  case measure(name: String, value: Double)
  /// Everything is in the store.
  case done(outputs: [StoredOutput])
  case stopped
  case failed(ExitCode, message: String)

  package var json: JSON {
    switch self {
    case .progress(let progress):
      .object(JSONObject([("event", "progress")] + progress.members))
    case .measure(let name, let value): ["event": "measure", "name": .string(name), "value": .double(value)]
    case .done(let outputs): ["event": "done", "outputs": .array(outputs.map(\.json))]
    case .stopped: ["event": "stopped"]
    case .failed(let code, let message):
      ["event": "failed", "exit": .int(Int64(code.rawValue)), "message": .string(message)]
    }
  }

  package init?(line: [UInt8]) {
    guard let json = try? JSON(parsing: line) else { return nil }
    switch json["event"]?.stringValue {
    case "progress":
      guard let progress = NodeProgress(json: json) else { return nil }
      self = .progress(progress)
    case "measure":
      guard let name = json["name"]?.stringValue, let value = json["value"]?.doubleValue else { return nil }
      self = .measure(name: name, value: value)
    case "done":
      guard let list = json["outputs"]?.arrayValue else { return nil }
      let outputs = list.compactMap(StoredOutput.init(json:))
      guard outputs.count == list.count else { return nil }
      self = .done(outputs: outputs)
    case "stopped": self = .stopped
    case "failed":
      guard let code = json["exit"]?.intValue.flatMap(Int32.init(exactly:)).flatMap(ExitCode.init(rawValue:)),
        let message = json["message"]?.stringValue
      else { return nil }
      self = .failed(code, message: message)
    default: return nil
    }
  }
}
