// `plumb export EXPERIMENT::ADDRESS DIR`: takes a result out of the store.

import ArgumentParser
import Glibc
import JSON
import Runner
import System

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Copy a result out of the store.",
    discussion: """
      An address is EXPERIMENT.yaml::STAGE or EXPERIMENT.yaml::STAGE.OUTPUT, as `\(Program.name) plan` shows stages, with `@last` for the \
      last iteration; runs/NAME/ID::STAGE is what that run computed. A model becomes DIR itself; other outputs go into DIR under \
      their names. Nothing is overwritten. Evicted bytes are recomputed first.

        \(Program.name) export experiments/quickstart.yaml::quark@last.train.model steered
      """)

  @Argument(
    help: ArgumentHelp("EXPERIMENT.yaml::STAGE.OUTPUT or RUN_DIRECTORY::STAGE.OUTPUT.", valueName: "address"))
  var address: String

  @Argument(help: ArgumentHelp("A new folder.", valueName: "dir"), completion: .directory)
  var directory: String

  @OptionGroup var parameters: ParameterArguments
  @OptionGroup var storage: StoreArguments

  func validate() throws {
    if ResultAddress(address) == nil {
      throw ValidationError(
        "expected EXPERIMENT.yaml::ADDRESS, such as experiments/quickstart.yaml::quark@last.train.model; found \(address)"
      )
    }
  }

  func run() throws {
    finish {
      guard let wanted = ResultAddress(address) else { return .commandLine }
      try File.refuseOverwriting(directory)
      let place = try StoredResult(wanted, parameters, storage: storage)
      let (store, found) = (place.store, place.found)
      for output in found.outputs where try store.presence(of: output) == .evicted {
        let code = try place.restoreBytes(storage)
        guard code == .done else { return code }
        break
      }
      let (paths, bytes) = try Export.copy(found.outputs, of: store, to: directory)
      try standardOutput(paths.map { TerminalText.escaped($0) + "\n" }.joined())
      standardError(
        "\(ByteCount(bytes).text) of `\(TerminalText.escaped(found.record.address))`, key \(found.record.key.prefix(12))\n"
      )
      return .done
    }
  }
}

/// A result on the command line, looked up.
struct StoredResult {
  let address: ResultAddress
  let store: Store
  let found: FoundResult
  private let experiment: LoadedExperiment?

  init(_ address: ResultAddress, _ parameters: ParameterArguments, storage: StoreArguments) throws {
    let isRun = FileStatus.of(address.file)?.isDirectory == true
    try self.init(address, of: isRun ? nil : load(try parameters.experiment(address.file)), storage)
  }

  /// Several; an experiment that more than one names is read once.
  static func all(
    _ addresses: [ResultAddress], _ parameters: ParameterArguments, storage: StoreArguments
  ) throws -> [StoredResult] {
    var experiments: [String: LoadedExperiment] = [:]
    return try addresses.map { address in
      guard FileStatus.of(address.file)?.isDirectory != true else {
        return try StoredResult(address, of: nil, storage)
      }
      let experiment = try experiments[address.file] ?? load(try parameters.experiment(address.file))
      experiments[address.file] = experiment
      return try StoredResult(address, of: experiment, storage)
    }
  }

  /// - Parameter experiment: nil for a result of a run.
  private init(_ address: ResultAddress, of experiment: LoadedExperiment?, _ storage: StoreArguments) throws {
    // An address that there is not is a mistake, whatever has run.
    _ = try experiment?.plan.candidates(address.address, stages: stageRegistry)
    let root = experiment?.projectRoot ?? projectRoot(of: Path.absolute(address.file))
    let store = try Self.open(root, storage, for: address, isRun: experiment == nil)
    self.address = address
    self.experiment = experiment
    self.store = store
    found =
      try experiment.map { try address.find(in: $0.plan, store: store, stages: stageRegistry) }
      ?? address.findInRun(store: store, stages: stageRegistry)
  }

  /// - Throws: `RunError` (11) where there is none: nothing has run, or with another store.
  private static func open(
    _ root: String, _ storage: StoreArguments, for address: ResultAddress, isRun: Bool
  ) throws -> Store {
    let path = storage.path(projectRoot: root)
    guard FileStatus.of("\(path)/format") != nil else {
      throw RunError(
        .workFound,
        isRun
          ? "there is no store at `\(path)`; name the one that the run used: `--store DIR`"
          : "`\(address.address)` has not run: there is no store at `\(path)`; `\(Program.name) run \(address.file)` makes one, or name another: `--store DIR`"
      )
    }
    let store = try Store(at: path)
    store.onWarning = { standardError("warning: \(TerminalText.escaped($0))\n") }
    return store
  }

  /// Runs what its evicted bytes need.
  func restoreBytes(_ storage: StoreArguments) throws -> System.ExitCode {
    guard let experiment, let node = found.node else {
      throw RunError(
        .workFound,
        "the bytes of `\(address.text)` were evicted; to recompute them, name the experiment instead of the run"
      )
    }
    var session = experiment.session(store: store.root)
    session.bytesOf = [node]
    // It is no run of anybody's: `@last` and `runs` stay as they are. Of one that failed the logs stay for a while.
    session.runs = "\(store.root)/tmp/restore.\(TemporaryName.make())"
    let code = session.run()
    if code == .done { try File.removeTree(session.runs) }
    return code
  }

  /// Where a command reads the one model that is named: a result, or what an experiment declares by this name under `models`.
  static func modelPath(
    _ address: ResultAddress, _ parameters: ParameterArguments, storage: StoreArguments
  ) throws -> String {
    func path(_ result: StoredResult) throws -> String {
      try result.store.readingPath(try result.found.output(.model, at: address))
    }
    if FileStatus.of(address.file)?.isDirectory == true {
      return try path(StoredResult(address, parameters, storage: storage))
    }
    let loaded = load(try parameters.experiment(address.file))
    guard let model = loaded.plan.models.first(where: { UTF8Key($0.name) == UTF8Key(address.address) }) else {
      return try path(StoredResult(address, of: loaded, storage))
    }
    if case .run(let file, let trained) = model.source {
      return try modelPath(
        ResultAddress(file: file, address: trained), ParameterArguments.parse([]), storage: storage)
    }
    return try ModelSource.localPath(of: model, store: nil) {
      standardError(TerminalText.escaped($0) + "\n")
    }
  }
}

/// The address a model argument is, unless a file of that name is there.
func modelResult(_ text: String) -> ResultAddress? { FileStatus.of(text) == nil ? ResultAddress(text) : nil }
