// The experiment of a run: its file as it is now, with the parameters that the run had.

import ArgumentParser
import Runner
import System

/// - Throws: `RunError` (2) where the run's command names no file that is there.
func experiment(of run: RunSummary, _ place: RunsArguments) throws -> ExperimentArguments {
  let words = wordsOfShell(run.command)
  let names = words.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
  let candidates = names.flatMap { $0.hasPrefix("/") ? [$0] : ["\(place.projectRoot)/\($0)", $0] }
  guard let file = candidates.first(where: { FileStatus.of($0)?.isRegularFile == true }) else {
    throw RunError(
      .commandLine,
      "the experiment of the run `\(run.id)` is not found: it was started with `\(run.command)`; go to the project's folder, or name the file"
    )
  }
  let settings = run.parameters.members.flatMap { ["--set", "\($0.key)=\($0.value.text())"] }
  return try ExperimentArguments.parse(settings + ["--", file])
}

/// What `shellWords` wrote.
func wordsOfShell(_ text: String) -> [String] {
  var words: [String] = []
  var word = String.UnicodeScalarView()
  var (isInside, isQuoted, isEscaped) = (false, false, false)
  for scalar in text.unicodeScalars {
    switch scalar {
    case _ where isEscaped:
      word.append(scalar)
      isEscaped = false
    case "'":
      isQuoted.toggle()
      isInside = true
    case "\\" where !isQuoted: isEscaped = true
    case " " where !isQuoted:
      if isInside { words.append(String(word)) }
      (word, isInside) = (String.UnicodeScalarView(), false)
    default:
      word.append(scalar)
      isInside = true
    }
  }
  return isInside ? words + [String(word)] : words
}
