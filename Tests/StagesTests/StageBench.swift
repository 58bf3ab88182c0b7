// Runs one stage on literal rows in a private directory and reads back what it wrote.

import Glibc
import JSON
import Runner
import Stages
import Synchronization
import System
import TestFolder
import Testing

final class RecordingReporter: StageReporter {
  let lines = Mutex<[String]>([])
  let measures = Mutex<[String: Double]>([:])
  func progress(done: Int, total: Int, unit: String, message: String?) {}
  /// Of the numbers that came with progress, by name.
  let values = Mutex<[String: [Double]]>([:])
  func progress(
    done: Int, total: Int, unit: String, message: String?, values: [(name: String, value: Double)]
  ) {
    for (name, value) in values { self.values.withLock { $0[name, default: []].append(value) } }
  }
  func log(_ line: String) { lines.withLock { $0.append(line) } }
  func measure(_ name: String, _ value: Double) { measures.withLock { $0[name] = value } }
  var isStopRequested: Bool { false }
}

final class StageBench {
  private let folder = TemporaryFolder()
  var directory: String { folder.path }
  let reporter = RecordingReporter()

  init() throws { try #require(mkdir(directory + "/out", 0o700) == 0) }

  /// Writes a file of the test's own and returns its path.
  func file(_ name: String, _ text: String) throws -> String { try folder.file(name, text) }

  func file(_ name: String, bytes: [UInt8]) throws -> String { try folder.file(name, bytes) }

  /// Runs the stage with its defaults under the given options; the rows of every output port by name. `cells` are what a
  /// matrix gives the port `rows`, by label; `files` are rows as they lie in files, by port.
  @discardableResult
  func run<S: Stage>(
    _ stage: S, _ options: JSON = .object(JSONObject()), rows: [Row]? = nil, history: [Row]? = nil,
    cells: KeyValuePairs<String, [Row]> = [:], files: [String: String] = [:],
    columns: ColumnTable = ColumnTable(samples: usualSampleColumns),
    seed: UInt64 = 1
  ) throws -> [String: [Row]] {
    var complete = JSONObject()
    for field in S.declaration.options {
      complete[field.name] = options[field.name].map(field.completed) ?? field.defaultValue
    }
    for name in options.objectValue?.keys ?? [] {
      #expect(complete[name] != nil, "`\(name)` is not an option of this stage")
    }
    var inputs: [String: Artifact] = [:]
    for (name, rows) in [("rows", rows), ("history", history)] {
      guard let rows else { continue }
      let path = "\(directory)/\(name).in"
      try writeRows(rows, to: path)
      inputs[name] = Artifact(type: .rows, path: path, columns: columns)
    }
    for (name, path) in files { inputs[name] = Artifact(type: .rows, path: path, columns: columns) }
    let collected = try cells.map { label, rows in
      let path = "\(directory)/\(label).in"
      try writeRows(rows, to: path)
      return Artifact(type: .rows, path: path, label: label, columns: columns)
    }
    let context = StageContext(
      options: StageOptions(.object(complete)), inputs: inputs,
      collections: collected.isEmpty ? [:] : ["rows": collected], seed: seed, threads: 1, scratch: directory,
      checkpointDirectory: directory, outputDirectory: directory + "/out", reporter: reporter)
    try stage.run(context)
    var outputs: [String: [Row]] = [:]
    for port in S.declaration(for: .object(complete)).outputs where port.type == .rows {
      outputs[port.name] = try readRows(context.output(port.name, port.type), requiring: [])
    }
    return outputs
  }
}

extension StageBench {
  /// What the last stage wrote.
  func metrics(_ port: String) throws -> JSON {
    try JSON(parsing: try File.read("\(directory)/out/\(port).json"))
  }
}

/// The description of the `InputError` that the body must throw.
func inputError(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "nothing was thrown"
  } catch let error as InputError {
    return error.description
  } catch {
    return "not an InputError: \(error)"
  }
}

func numberedRows(_ count: Int) -> [Row] {
  (0..<count).map { Row(["id": .string("row\($0)"), "prompt": .string("prompt \($0)")]) }
}

/// A row whose sample k has the text `k`, and the lists given.
func sampledRow(_ id: String, _ lists: [(String, [JSON])]) -> Row {
  var row = Row(["id": .string(id), "prompt": .string("prompt of \(id)")])
  let count = lists.first?.1.count ?? 0
  row["generations"] = .array((0..<count).map { .string("\(id) \($0)") })
  for (name, values) in lists { row[name] = .array(values) }
  return row
}

/// The path of a file of real data beside the package, or nil where there is none.
func sharedData(_ name: String) -> String? {
  // PACKAGE/Tests/StagesTests/StageBench.swift
  let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
  let path = "/\(package)/../shared/data/\(name)"
  return access(path, R_OK) == 0 ? path : nil
}
