// `plumb init [DIR]`: a first experiment that runs as it is.

import ArgumentParser
import Runner
import System

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Write a first experiment, with data to run it on.",
    discussion: """
      Writes experiment.yaml, named for the folder, its data, experiment.schema.json (for editors) and a .gitignore, and overwrites \
      nothing. Templates:

      \(InitTemplate.allCases.map { "  \(TextTable.padded($0.rawValue, to: 7)) \($0.summary)" }.joined(separator: "\n"))

        \(Program.name) init first && \(Program.name) run first/experiment.yaml
        \(Program.name) init steering --template quark
      """)

  @Argument(
    help: ArgumentHelp("The folder, created if missing.", valueName: "dir"), completion: .directory)
  var folder = "."

  @Option(
    help: ArgumentHelp("The experiment to begin with.", valueName: "template"))
  var template = InitTemplate.first

  private static let ignored = ["runs/", ".plumb/"]

  func run() throws {
    finish {
      // `first/` is `first`.
      let end = self.folder.utf8.lastIndex { $0 != UInt8(ascii: "/") }
      let folder = end.map { String(self.folder[...$0]) } ?? "/"
      let files =
        (template.files(named: Self.experimentName(of: folder)) + [
          (
            path: "experiment.schema.json",
            text: ExperimentSchema(stageRegistry).json.text(.pretty) + "\n"
          )
        ]).map { (path: "\(folder)/\($0.path)", text: $0.text) }
      // All are looked for before the first is written.
      for file in files where FileStatus.of(file.path) != nil {
        throw RunError(.commandLine, "`\(file.path)` already exists; nothing was written")
      }
      // A project has one already, perhaps.
      let ignore = "\(folder)/.gitignore"
      let isIgnoring = FileStatus.of(ignore) != nil
      let all = files + (isIgnoring ? [] : [(ignore, Self.ignored.map { $0 + "\n" }.joined())])
      for file in all {
        try File.makeDirectory(Path.parent(file.path))
        try File.writeDurably(file.text, to: file.path)
      }
      let missing = isIgnoring ? Self.ignored.filter { !Self.lines(of: ignore).contains($0) } : []
      if !missing.isEmpty {
        standardError(
          "note: `\(TerminalText.escaped(ignore))` is left as it is; add \(missing.map { "`\($0)`" }.joined(separator: " and ")) to it\n"
        )
      }
      standardError(
        "wrote \(all.map { TerminalText.escaped($0.path) }.joined(separator: ", "))\n"
          + "next: \(shellWords([Program.name, "run", "\(folder)/experiment.yaml"]))\n")
      return .done
    }
  }

  private static func lines(of path: String) -> [String] {
    guard let bytes = try? File.read(path) else { return [] }
    return bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The folder's name, of which what cannot be in the name of an experiment is `-`.
  private static func experimentName(of folder: String) -> String {
    let bytes = Path.name(Path.real(folder) ?? Path.absolute(folder)).utf8.map { byte -> UInt8 in
      let isPlain =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "._-".utf8.contains(byte)
      return isPlain ? byte : UInt8(ascii: "-")
    }
    let name = String(
      decoding: bytes.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }.prefix(100), as: UTF8.self)
    // A word that YAML reads as something other than text, such as `2026` or `no`, is put in quotes.
    return name.isEmpty ? "experiment" : name.isPlainText ? name : "\"\(name)\""
  }
}

extension String {
  /// Whether YAML reads it as text without quotes: it begins with a letter and is no word of YAML's.
  fileprivate var isPlainText: Bool {
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
    let isLetter = utf8.first.map { (0x41...0x5A).contains($0 & 0xDF) } ?? false
    return isLetter && !words.contains(lowercased())
  }
}
