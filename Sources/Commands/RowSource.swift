// What `plumb rows` looks into: a data file, or what a stage wrote.

import JSON
import RunIndex
import Runner
import Stages
import System

enum RowSource {
  case file(String)
  case rows(String)
  case metrics(String)

  /// A file where there is one of this name; else EXPERIMENT.yaml::STAGE, RUN_DIRECTORY::STAGE, or a stage of the last run.
  /// - Throws: `RunError` (2) for a result that holds no rows, naming the command that shows it.
  init(_ text: String, storage: StoreArguments) throws {
    if let status = FileStatus.of(text) {
      guard !status.isDirectory else {
        throw RunError(
          .commandLine,
          "`\(text)` is a folder; name a data file, or see a model with `\(Program.name) inspect \(text)`")
      }
      self = .file(text)
      return
    }
    let result =
      try ResultAddress(text).map { try StoredResult($0, storage: storage) } ?? Self.lastRun(text, storage)
    self = try Self.place(of: result, text)
  }

  private static func lastRun(_ address: String, _ storage: StoreArguments) throws -> StoredResult {
    do {
      let run = try RunsArguments.parse([]).find("@last")
      return try StoredResult(ResultAddress(file: run.path, address: address), storage: storage)
    } catch let error as RunError where error.exitCode == .commandLine {
      throw RunError(
        .commandLine,
        "there is no file `\(address)`, and it is no stage of the last run: \(error.description)")
    }
  }

  private static func place(of result: StoredResult, _ text: String) throws -> RowSource {
    let outputs = result.found.outputs
    func path(_ output: StoredOutput) throws -> String { try result.store.readingPath(output) }
    if let output = outputs.first(where: { $0.type == .rows }) { return .rows(try path(output)) }
    if let output = outputs.first(where: { $0.type == .metrics }) { return .metrics(try path(output)) }
    if let output = outputs.first(where: { $0.type == .file }) { return .file(try path(output)) }
    throw RunError(
      .commandLine,
      "`\(text)` is a model; `\(Program.name) inspect \(result.address.text)` shows what it holds")
  }
}
