// `plumb stages [NAME]`: the stages there are, and everything one declares.

import ArgumentParser
import Runner
import System

struct StagesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stages", abstract: "List the stages, or show one: its inputs, outputs and options.",
    discussion: """
        \(Program.name) stages
        \(Program.name) stages sample
      """)

  @Argument(
    help: ArgumentHelp("A stage, as `uses:` gives it.", valueName: "name"),
    completion: .list(stageRegistry.names))
  var name: String?

  @Option(
    help: ArgumentHelp("Write the pages of all stages into this folder instead.", valueName: "dir"),
    completion: .directory)
  var markdown: String?

  func run() throws {
    finish {
      let pages = StagePages(stageRegistry)
      if let markdown {
        try File.makeDirectory(markdown)
        for file in pages.files { try File.writeDurably(file.text, to: "\(markdown)/\(file.name)") }
        return .done
      }
      guard let name else {
        try standardOutput(pages.list)
        return .done
      }
      guard let stage = stageRegistry.stage(named: name) else {
        let help =
          Suggestion.nearest(to: name, among: stageRegistry.names).map { "did you mean `\($0)`?" }
          ?? "`\(Program.name) stages` lists them"
        throw RunError(.commandLine, "there is no stage `\(name)`; \(help)")
      }
      try standardOutput(StagePages.text(stage.declaration))
      return .done
    }
  }
}
