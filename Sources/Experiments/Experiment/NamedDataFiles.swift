// Data files that a command names: a file, a pattern or a folder, as the option of an experiment names them, but anywhere.

import JSON
import System

/// Their paths, from the working folder on where they lie in it, in the order in which they are read. They follow from names, and from a
/// folder's README.
/// - Parameters:
///   - split: of a folder: the split whose files are meant.
///   - config: of a folder: the configuration of its README that is meant.
/// - Throws: `RunError` (2): what is wrong with the name, and what to do.
package func dataFiles(named text: String, split: String?, config: String?) throws -> [String] {
  let folder = Path.real(".") ?? "/"
  var arguments: [SourceFile] = []
  func node(_ text: String, _ name: String) -> Node {
    let file = SourceFile(name: name, folder: folder, bytes: Array(text.utf8))
    arguments.append(file)
    return Node(
      .scalar(Scalar(text: text, value: .string(text), isQuoted: true)),
      span: SourceSpan(file: file, start: 0, end: text.utf8.count))
  }
  let collector = DiagnosticCollector()
  var decoder = FilesDecoder(
    collector: collector, paths: ProjectPaths(aboveFolder: "/"), what: "the command",
    split: split.map { node($0, "--split") })
  decoder.config = config.map { node($0, "--config") }
  decoder.isCommand = true
  let parts = decoder.decode(node(text, "command line"))
  if let problem = collector.list.diagnostics.first(where: { $0.severity == .error }) {
    var problem = problem
    // A place in an argument says nothing; one in a README does.
    if arguments.contains(where: { $0 === problem.span?.file }) { problem.span = nil }
    throw RunError(.commandLine, problem.line)
  }
  let here = folder + "/"
  return (parts ?? []).compactMap { part in
    guard case .file(let path) = part else { return nil }
    return path.utf8.starts(with: here.utf8)
      ? String(decoding: path.utf8.dropFirst(here.utf8.count), as: UTF8.self) : path
  }
}

/// Whether a text is more than the name of one file.
package func isFilePattern(_ text: String) -> Bool { FilePattern.isPattern(text) }
