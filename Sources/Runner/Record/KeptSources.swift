// An experiment's files as a run of it kept them, read in the place of those that are there now.

import JSON
import System

package struct KeptSources {
  private let run: String
  /// The experiment's own file, absolute; there need be none any more.
  package let experiment: String
  private let projectRoot: String

  /// Nil for a run that does not say which file it was started with.
  package init?(_ run: RunSummary, projectRoot: String) {
    guard let file = run.file else { return nil }
    self.run = run.path
    experiment = file.utf8.first == UInt8(ascii: "/") ? file : "\(projectRoot)/\(file)"
    self.projectRoot = projectRoot
  }

  /// What the run kept of the file at a path; its places are still called by the path.
  /// - Throws: as `SourceFile.read`.
  package func read(_ path: String) throws(DiagnosticList) -> SourceFile {
    let kept = try SourceFile.read("\(run)/\(name(of: path))")
    return SourceFile(name: path, folder: Path.parent(Path.real(path) ?? path), bytes: kept.bytes)
  }

  private func name(of path: String) -> String {
    UTF8Key(path) == UTF8Key(experiment)
      ? RunDirectory.experimentName : RunDirectory.name(ofOther: path, projectRoot: projectRoot)
  }
}
