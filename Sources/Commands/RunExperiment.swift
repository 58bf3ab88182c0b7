// The experiment of a run: its file as it is now, with the parameters that the run had.

import ArgumentParser
import Runner
import System

/// - Throws: `RunError` (2) where that file is not there, or the run does not say which it was.
func experiment(of run: RunSummary, _ place: RunsArguments) throws -> ExperimentArguments {
  let file = run.file.map { $0.hasPrefix("/") ? $0 : "\(place.projectRoot)/\($0)" }
  guard let file, FileStatus.of(file)?.isRegularFile == true else {
    throw RunError(
      .commandLine,
      "the experiment of the run `\(run.id)` is not found\(run.file.map { " at `\($0)`" } ?? ""): it was started with `\(run.command)`; go to the project's folder, or name the file"
    )
  }
  let settings = run.parameters.members.flatMap { ["--set", "\($0.key)=\($0.value.text())"] }
  return try ExperimentArguments.parse(settings + ["--", file])
}
