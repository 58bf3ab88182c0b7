// `plumb new-stage NAME DIR`: a Swift package with a stage of one's own, ready to build.

import ArgumentParser
import Runner
import System

struct NewStageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new-stage", abstract: "Write a Swift package that adds a stage of your own.",
    discussion: """
      The package builds a program of the same name: everything plumb does, and the new stage beside the built-in ones. It holds one \
      documented stage to change, a test of it, and a small experiment. Nothing is overwritten.

        \(Program.name) new-stage keep-long keep-long
        cd keep-long && swift build -c release && .build/release/keep-long run experiment.yaml
      """)

  @Argument(help: "The stage's name, as `uses:` gives it: lower-case letters, digits, `-`.")
  var name: String

  @Argument(
    help: ArgumentHelp("The package's folder, created if missing.", valueName: "dir"),
    completion: .directory)
  var folder: String

  @Option(
    help: ArgumentHelp(
      "Where the package finds Plumb's sources: a folder or a Git URL (default: the sources this program was built in).",
      valueName: "dir|url"), completion: .directory)
  var plumb: String?

  func run() throws {
    finish {
      let scaffold = try StageScaffold(name: name, plumb: try source())
      if stageRegistry.stage(named: name) != nil {
        throw RunError(
          .commandLine, "there is a stage `\(name)` already; `\(Program.name) stages` lists them")
      }
      let files = scaffold.files.map { (path: "\(folder)/\($0.path)", text: $0.text) }
      // All are looked for before the first is written.
      for file in files where FileStatus.of(file.path) != nil {
        throw RunError(.commandLine, "`\(file.path)` already exists; nothing was written")
      }
      for file in files {
        try File.makeDirectory(Path.parent(file.path))
        try File.writeDurably(file.text, to: file.path)
      }
      standardError("wrote\n")
      for file in files { standardError("  \(TerminalText.escaped(file.path))\n") }
      standardError(
        """
        next: cd \(shellWords([folder]))
              swift build -c release        the first time takes minutes: Plumb is built too
              .build/release/\(name) run experiment.yaml

        """)
      return .done
    }
  }

  private func source() throws -> StageScaffold.Source {
    if let plumb {
      if plumb.contains("://") || plumb.hasPrefix("git@") { return .url(plumb) }
      let path = Path.absolute(plumb)
      guard NewStageCommand.isPlumb(path) else {
        throw RunError(
          .commandLine, "`\(plumb)` does not hold Plumb's Package.swift; --plumb takes its sources")
      }
      return .path(path)
    }
    var folder = Path.parent(try ChildProcess.ownExecutable())
    while folder != "/", !folder.isEmpty {
      if NewStageCommand.isPlumb(folder) { return .path(folder) }
      folder = Path.parent(folder)
    }
    throw RunError(
      .commandLine,
      "this program is not inside Plumb's sources; name them: --plumb DIR or --plumb URL"
    )
  }

  private static func isPlumb(_ folder: String) -> Bool {
    guard let bytes = try? File.read("\(folder)/Package.swift") else { return false }
    return String(decoding: bytes, as: UTF8.self).contains("name: \"plumb\"")
  }
}
