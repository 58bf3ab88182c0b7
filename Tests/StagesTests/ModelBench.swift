// Runs stages that read models: tiny models in a private folder, contexts made by hand.

import Glibc
import JSON
import Models
import Runner
import Stages
import Synchronization
import System
import TestFolder
import Testing
import TinyModel

/// Asks for a stop once so many reports of progress were made.
final class StoppingReporter: StageReporter {
  let lines = Mutex<[String]>([])
  private let reports = Mutex(0)
  private let limit: Int
  init(after limit: Int) { self.limit = limit }
  func progress(done: Int, total: Int, unit: String, message: String?) { reports.withLock { $0 += 1 } }
  func log(_ line: String) { lines.withLock { $0.append(line) } }
  func measure(_ name: String, _ value: Double) {}
  var isStopRequested: Bool { reports.withLock { $0 >= limit } }
}

final class ModelBench {
  private let folder = TemporaryFolder()
  var path: String { folder.path }
  let reporter = RecordingReporter()
  private var runs = 0

  var log: [String] { reporter.lines.withLock { $0 } }

  /// A tiny model in the folder; its path.
  func model(_ name: String = "model", _ change: (inout TinyModel) -> Void = { _ in }) throws -> String {
    var model = TinyModel()
    change(&model)
    try model.write(to: "\(path)/\(name)")
    return "\(path)/\(name)"
  }

  /// What a run is given beside options and inputs: nothing of it may matter.
  struct Circumstances {
    var threads = 2
    var engine: JSON = .object(JSONObject())
    /// Workers that each compute a part of the rows, one after the other, before the output is written from their journal.
    var shards = 0
    /// Kept from run to run when named.
    var checkpoints: String?
    /// The path of a journal of finished items, kept from run to run.
    var journal: String?
    var reporter: (any StageReporter)?
  }

  /// Runs a stage with its defaults under the given options; the folder it wrote to.
  /// - Parameters:
  ///   - others: rows at further ports.
  ///   - tokenizer: what the rows' `tokens` are said to be of.
  @discardableResult
  func run<S: Stage>(
    _ stage: S, _ options: JSON, models: [String: String] = [:], files: [String: String] = [:], rows: [Row],
    port: String = "rows", others: [String: [Row]] = [:], mode: String = "bf16", seed: UInt64 = 1,
    tokenizer: String? = nil, columns: ColumnTable = ColumnTable(samples: usualSampleColumns),
    _ circumstances: Circumstances = Circumstances()
  ) throws -> String {
    runs += 1
    let output = "\(path)/run-\(runs)"
    try File.makeDirectory("\(output)/scratch")
    var complete = JSONObject()
    for field in S.declaration.options {
      complete[field.name] = options[field.name].map(field.completed) ?? field.defaultValue
    }
    for name in options.objectValue?.keys ?? [] {
      #expect(complete[name] != nil, "`\(name)` is not an option of this stage")
    }
    var inputs: [String: Artifact] = [:]
    for (name, path) in models { inputs[name] = Artifact(type: .model, path: path) }
    for (name, path) in files {
      let type = S.declaration.inputs.first { $0.name == name }?.type ?? .file
      inputs[name] = Artifact(type: type, path: path, columns: ColumnTable(samples: usualSampleColumns))
    }
    try writeRows(rows, to: "\(output)/in.jsonl")
    var columns = columns
    columns.setTokenizer(tokenizer, of: "tokens")
    inputs[port] = Artifact(type: .rows, path: "\(output)/in.jsonl", columns: columns)
    for (port, rows) in others {
      try writeRows(rows, to: "\(output)/\(port).in.jsonl")
      inputs[port] = Artifact(type: .rows, path: "\(output)/\(port).in.jsonl", columns: columns)
    }
    let checkpoints = "\(path)/\(circumstances.checkpoints ?? "checkpoints-\(runs)")"
    try File.makeDirectory(checkpoints)
    for shard in (0..<circumstances.shards).map({ Shard(index: $0, count: circumstances.shards) }) + [nil] {
      try stage.run(
        StageContext(
          options: StageOptions(.object(complete)), inputs: inputs, seed: seed, numericMode: mode,
          threads: circumstances.threads, engine: circumstances.engine, scratch: "\(output)/scratch",
          checkpointDirectory: checkpoints, shard: shard,
          journalDirectory: circumstances.journal ?? (circumstances.shards > 0 ? "\(output)/journal" : nil),
          outputDirectory: output,
          reporter: circumstances.reporter ?? reporter))
    }
    return output
  }

  func rows(_ output: String) throws -> [Row] { try readRows("\(output)/rows.jsonl") }

  func json(_ path: String) throws -> JSON { try JSON(parsing: try File.read(path)) }
}

let prompts: [Row] = [
  "The film was", "They had been", "A",
  "for the old 42 and nobody counted on it, so they never happened to be anyone",
].enumerated().map { Row(["id": .string("p\($0)"), "prompt": .string($1)]) }

/// Rows with generations, rewards and classes, as `pool` hands them to `train`.
func pooledRows(_ count: Int = 5) -> [Row] {
  (0..<count).map { index in
    Row([
      "id": .string("q\(index)"), "prompt": .string("The film \(index)"),
      "generations": [.string(" had been fine"), .string(" was old, for \(index)"), "x"],
      "finished": [true, false, true], "rewards": [0.5, 0.25, 1.0],
      "quantiles": [0, 1, .int(Int64(index % 3))],
    ])
  }
}
