// Where the commands that look back find the runs, and which run is meant.

import ArgumentParser
import Glibc
import RunIndex
import Runner
import System

struct RunsArguments: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "The folder of the runs (default: `runs` at the root of the project that this folder lies in).",
      valueName: "dir"))
  var runs: String?

  var folder: String { runs.map { Path.absolute($0) } ?? "\(projectRoot)/runs" }

  /// Of the runs' folder when one is named.
  var projectRoot: String {
    if let runs { return Path.parent(Path.absolute(runs)) }
    return RunDirectory.projectRoot(above: Path.absolute("."))
  }

  func index() throws -> RunIndex { try RunIndex(runs: folder) }

  func find(_ run: String) throws -> RunSummary { try RunSelector.find(run, in: try index().runs()) }

  /// Of a run's folder too, wherever it is.
  func findOrRead(_ run: String) throws -> RunSummary {
    guard FileStatus.of(run)?.isDirectory == true else { return try find(run) }
    guard let summary = try RunSummary(directory: Path.real(run) ?? run) else {
      throw RunError(.commandLine, "`\(run)` is not the folder of a run: it has no `events.jsonl`")
    }
    return summary
  }
}

let runHelp = ArgumentHelp(
  "An id or the beginning of one, `@last`, `@last~1` for the one before, `NAME@last` of one experiment.",
  valueName: "run")
