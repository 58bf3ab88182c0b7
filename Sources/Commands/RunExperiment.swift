// The experiment of a run: as the run kept it, with the parameters that the run had.

import ArgumentParser
import Runner
import System

/// Data and models are read from where the experiment's file was, or is.
/// - Throws: `RunError` (2) where the run does not say which file it was started with.
func experiment(of run: RunSummary, _ place: RunsArguments) throws -> ExperimentReader {
  guard let sources = KeptSources(run, projectRoot: place.projectRoot) else {
    throw RunError(
      .commandLine,
      "the run `\(run.id)` does not say which file it was started with, and its data are named from there; it was started with `\(run.command)`"
    )
  }
  let settings = run.parameters.members.flatMap { ["--set", "\($0.key)=\($0.value.text())"] }
  return ExperimentReader(
    try ExperimentArguments.parse(settings + ["--", sources.experiment]), source: sources.read)
}
