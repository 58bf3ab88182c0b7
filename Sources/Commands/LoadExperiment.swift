// From a file on the command line to a plan, with everything that is wrong said before anything runs.

import ArgumentParser
import Glibc
import JSON
import Runner
import System
import Trackers

/// What every command that reads an experiment takes.
struct ExperimentArguments: ParsableArguments {
  @Argument(help: "The experiment, a YAML file.", completion: Completion.experiment)
  var file: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Give a parameter another value; parsed as YAML. May be repeated.", valueName: "name=value"),
    completion: Completion.parameters)
  var set: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Format of mistakes: text, or json with one object per line.", valueName: "text|json"))
  var format = DiagnosticFormat.text
}

/// For commands that take a result of an experiment, `EXPERIMENT.yaml::ADDRESS`.
struct ParameterArguments: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Give a parameter of the experiment another value. May be repeated.", valueName: "name=value"))
  var set: [String] = []

  /// As if the experiment stood on the command line with them.
  func experiment(_ file: String) throws -> ExperimentArguments {
    try ExperimentArguments.parse(set.flatMap { ["--set", $0] } + ["--", file])
  }
}

enum DiagnosticFormat: String, ExpressibleByArgument { case text, json }

/// Where a run keeps its things, for commands that look at the store.
struct StoreArguments: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "The store (default: `.plumb` at the project's root, or $PLUMB_HOME).", valueName: "dir"))
  var store: String?

  func path(projectRoot: String) -> String {
    if let store { return Path.absolute(store) }
    if let home = environmentValue("PLUMB_HOME") { return Path.absolute(home) }
    return "\(projectRoot)/.plumb"
  }
}

/// How files that are not the store's are read.
struct ReadingArguments: ParsableArguments {
  @Flag(
    help: "Hash every input file, also those whose size, times and inode are unchanged.")
  var strict = false
}

struct LoadedExperiment {
  let plan: Plan
  let projectRoot: String
  let sweep: Sweep?
  /// As it was read, byte for byte where it is UTF-8.
  let text: String
  /// Nil where it came from standard input.
  let file: String?
  /// What a run keeps beside it.
  let files: [(name: String, text: String)]
  /// With `--set` applied.
  let parameters: JSONObject
  let tracking: Tracking
  /// The user's own.
  let configuration: UserConfiguration

  /// A run of it, which keeps all of this.
  func session(store: String) -> RunSession {
    var session = RunSession(
      plan: plan, stages: stageRegistry.stages, store: store, runs: "\(projectRoot)/runs",
      experimentText: text, command: shellWords([Program.name] + CommandLine.arguments.dropFirst()))
    session.experimentFiles = files
    session.experimentFile = file
    session.parameters = parameters
    session.tracking = tracking
    session.trackers = Trackers.trackers
    return session
  }
}

/// Reads an experiment file and plans it, as often as a sweep has runs.
final class ExperimentReader {
  let arguments: ExperimentArguments
  private let storage: StoreArguments?
  private let isStrict: Bool
  private let source: SourceReader
  /// Read when the first file is asked for; the store itself is not made before the experiment is known to be good.
  private var remembered: StatCache?

  /// With `storage`, files whose state stands since the store last hashed them are not hashed for the plan either.
  init(
    _ arguments: ExperimentArguments, _ storage: StoreArguments? = nil, _ reading: ReadingArguments? = nil,
    source: @escaping SourceReader = SourceFile.read
  ) {
    self.arguments = arguments
    self.storage = storage
    isStrict = reading?.strict == true
    self.source = source
  }

  private func digest(_ path: String) throws -> Digest {
    guard let storage, !isStrict else { return try Digest.ofFile(path).digest }
    let cache =
      remembered
      ?? StatCache(
        path: storage.path(projectRoot: projectRoot(of: Path.parent(Path.absolute(arguments.file))))
          + "/stat-cache")
    remembered = cache
    return try cache.digest(of: path, status: try FileStatus.orThrow(path)) ?? Digest.ofFile(path).digest
  }

  /// - Parameter settings: more of what `--set` takes.
  func plan(_ settings: [String] = [], answers: (Experiment) -> StageAnswers? = { _ in StageAnswers() })
    -> Result<(experiment: Experiment, plan: Plan), DiagnosticList>
  {
    Planner.plan(
      path: arguments.file, overrides: arguments.set + settings, stages: stageRegistry, reader: source,
      digest: { path in try self.digest(path) }, answers: answers)
  }
}

extension DiagnosticList {
  /// How a process ends that found these.
  var exitCode: System.ExitCode { isAboutInputFiles ? .input : .experiment }
}

extension LoadedExperiment {
  init(_ experiment: Experiment, _ plan: Plan, _ configuration: UserConfiguration) {
    self.init(
      plan: plan.priced(configuration), projectRoot: experiment.projectRoot, sweep: experiment.sweep,
      text: String(decoding: experiment.source.bytes, as: UTF8.self), file: Self.place(of: experiment),
      files: RunDirectory.files(of: experiment, plan), parameters: experiment.settings,
      tracking: experiment.tracking.isEmpty ? configuration.tracking : experiment.tracking,
      configuration: configuration)
  }

  /// In the project by its path there, so that a colleague's copy of the project has it too; nil of what came from standard input.
  private static func place(of experiment: Experiment) -> String? {
    let path = "\(experiment.source.folder)/\(Path.name(experiment.source.name))"
    guard FileStatus.of(path)?.isRegularFile == true else { return nil }
    let root = experiment.projectRoot + "/"
    return path.utf8.starts(with: root.utf8) ? String(path.dropFirst(root.count)) : path
  }
}

/// Reads and plans; errors end the process with exit code 3. Diagnostics go to stderr, those in JSON to `jsonTo`.
func load(
  _ arguments: ExperimentArguments, _ storage: StoreArguments? = nil, _ reading: ReadingArguments? = nil,
  jsonTo descriptor: Int32 = 2
) -> LoadedExperiment {
  load(ExperimentReader(arguments, storage, reading), jsonTo: descriptor)
}

func load(
  _ reader: ExperimentReader, jsonTo descriptor: Int32 = 2,
  answers: (Experiment) -> StageAnswers? = { _ in StageAnswers() }
) -> LoadedExperiment {
  let format = reader.arguments.format
  switch reader.plan(answers: answers) {
  case .failure(let list):
    report(list, format, jsonTo: descriptor)
    Glibc.exit(list.exitCode.rawValue)
  case .success(let (experiment, plan)):
    report(DiagnosticList(plan.warnings), format, jsonTo: descriptor)
    do { return LoadedExperiment(experiment, plan, try UserConfiguration.read()) } catch {
      report(error, format, jsonTo: descriptor)
      Glibc.exit(error.exitCode.rawValue)
    }
  }
}

/// Diagnostics as the command line wants them: for people on stderr, or in JSON on the given descriptor.
func report(_ list: DiagnosticList, _ format: DiagnosticFormat, jsonTo descriptor: Int32 = 2) {
  switch format {
  case .text: printDiagnostics(list)
  case .json: try? File(descriptor: descriptor, path: "diagnostics").writeAll(list.jsonLines)
  }
}

/// Diagnostics for people, on stderr.
func printDiagnostics(_ list: DiagnosticList) {
  guard !list.isEmpty else { return }
  standardError(DiagnosticRenderer(color: usesColor(2)).render(list))
}

/// Words as a shell takes them.
func shellWords(_ words: [String]) -> String {
  words.map { word in
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
          || "-_./=@%+:,".utf8.contains(byte)
      }
    return isPlain
      ? word
      : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }.joined(separator: " ")
}
