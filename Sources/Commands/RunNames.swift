// Which runs are meant by names on a command line: those of experiments, or single ones.

import JSON
import Runner
import System

/// Of an experiment, by its name or its file, all its runs; else the one run that a selector names.
/// - Throws: `RunError` (2) for a name of none.
func runsNamed(_ names: [String], in all: [RunSummary]) throws -> [RunSummary] {
  try names.flatMap { name in
    let experiment = try experimentName(name)
    let found = all.filter { UTF8Key($0.experiment) == UTF8Key(experiment) }
    return found.isEmpty ? [try RunSelector.find(name, in: all)] : found
  }
}

/// Of an experiment's file the name in it.
private func experimentName(_ text: String) throws -> String {
  guard FileStatus.of(text)?.isRegularFile == true else { return text }
  switch Document.json(of: try SourceFile.read(text)) {
  case .success(let json): return json["name"]?.stringValue ?? text
  case .failure(let list): throw RunError(.experiment, DiagnosticRenderer().render(list))
  }
}
