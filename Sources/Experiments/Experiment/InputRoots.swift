// `inputs:`: folders outside the project in which what an experiment reads may lie.

import JSON
import System

struct InputRoots {
  let collector: DiagnosticCollector

  /// Absolute, symbolic links resolved.
  func decode(_ node: Node?) -> [String] {
    guard let node, !node.isNull, !node.isInvalid else { return [] }
    return (node.elements ?? [node]).compactMap { root($0) }
  }

  private func root(_ node: Node) -> String? {
    let what = "an entry of `inputs`"
    guard let text = collector.string(node, what) else { return nil }
    let folder = (node.origin ?? node.span).file.folder
    let joined = ProjectPaths.normalized(text.utf8.first == 0x2F ? text : "\(folder)/\(text)")
    guard !text.isEmpty, !text.utf8.contains(0), let path = Path.real(joined) else {
      collector.error(
        .missingFile, "\(what) names `\(text)`, which does not exist", at: node.span,
        label: "looked for `\(joined)`", notes: collector.originNotes(node),
        help: ProjectPaths.tildeHelp(text))
      return nil
    }
    guard ProjectPaths.isDirectory(path) else {
      collector.error(
        .notADirectory, "\(what) must name a directory, `\(text)` is a file", at: node.span,
        label: "a file",
        notes: collector.originNotes(node), help: "name the directory it lies in")
      return nil
    }
    guard path != "/" else {
      collector.error(
        .outsideProject, "`/` cannot be one of `inputs`", at: node.span, label: "holds everything",
        notes: collector.originNotes(node), help: "name the directory that the data lie in")
      return nil
    }
    return path
  }
}
