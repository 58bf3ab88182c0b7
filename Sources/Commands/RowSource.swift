// What `plumb rows` looks into: a data file, or what a stage wrote.

import JSON
import RunIndex
import Runner
import Stages
import System

enum RowSource {
  /// In the order in which they are read.
  case files([String])
  /// With what is declared of its columns.
  case rows(String, ColumnTable)
  case metrics(String)

  /// What `data` takes: a file, a folder, a pattern that fits something, a data set of a hub, which is fetched; else
  /// EXPERIMENT.yaml::STAGE, RUN_DIRECTORY::STAGE, or a stage of the last run.
  /// - Throws: `RunError` (2) for a result that holds no rows, naming the command that shows it, and for a name of nothing.
  init(
    _ text: String, split: String?, config: String?, _ parameters: ParameterArguments, storage: StoreArguments
  ) throws {
    if RemoteDataSet.isMeant(by: text) {
      self = .files(try Self.fetched(text, split: split, config: config))
      return
    }
    if let status = FileStatus.of(text) {
      if status.isDirectory, FileStatus.of("\(text)/config.json") != nil, ResultAddress(text) == nil {
        throw RunError(
          .commandLine,
          "`\(text)` is a folder with a model; `\(Program.name) inspect \(text)` shows what it holds")
      }
      let isFile = !status.isDirectory && split == nil && config == nil
      self = .files(isFile ? [text] : try dataFiles(named: text, split: split, config: config))
      return
    }
    let address = ResultAddress(text)
    if address == nil, isFilePattern(text) {
      do {
        self = .files(try dataFiles(named: text, split: split, config: config))
        return
      } catch let error as RunError where text.utf8.contains(UInt8(ascii: "@")) {
        // An address of the last run may have signs of a pattern.
        guard let result = try? Self.lastRun(text, storage) else { throw error }
        self = try Self.place(of: result, text)
        return
      }
    }
    if let name = [("split", split), ("config", config)].first(where: { $0.1 != nil })?.0 {
      throw RunError(
        .commandLine, "--\(name) chooses among the files of a folder or a data set; `\(text)` is neither")
    }
    let result =
      try address.map { try StoredResult($0, parameters, storage: storage) } ?? Self.lastRun(text, storage)
    self = try Self.place(of: result, text)
  }

  private static func fetched(_ text: String, split: String?, config: String?) throws -> [String] {
    guard let set = RemoteDataSet(text, split: split, config: config) else {
      throw RunError(.commandLine, "expected hf:\(RemoteDataSet.form), found \(text)")
    }
    return try DataSetSource.standard().fetch(set) { standardError(TerminalText.escaped($0) + "\n") }.data
      .paths
  }

  private static func lastRun(_ address: String, _ storage: StoreArguments) throws -> StoredResult {
    do {
      let run = try RunsArguments.parse([]).find("@last")
      return try StoredResult(
        ResultAddress(file: run.path, address: address), ParameterArguments.parse([]), storage: storage)
    } catch let error as RunError where error.exitCode == .commandLine {
      throw RunError(
        .commandLine,
        "there is no file `\(address)`, and it is no stage of the last run: \(error.description)")
    }
  }

  private static func place(of result: StoredResult, _ text: String) throws -> RowSource {
    let outputs = result.found.outputs
    func path(_ output: StoredOutput) throws -> String { try result.store.readingPath(output) }
    if let output = outputs.first(where: { $0.type == .rows }) {
      return .rows(try path(output), output.columns)
    }
    if let output = outputs.first(where: { $0.type == .metrics }) { return .metrics(try path(output)) }
    if let output = outputs.first(where: { $0.type == .file }) { return .files([try path(output)]) }
    throw RunError(
      .commandLine,
      "`\(text)` is a model; `\(Program.name) inspect \(result.address.text)` shows what it holds")
  }
}
