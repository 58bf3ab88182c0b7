// `plumb schema`: the JSON Schema of experiments, for editors and validators.

import ArgumentParser
import Runner
import System

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print the JSON Schema of experiments, for editors.",
    discussion: """
      Editors with a YAML language server complete and check an experiment whose first line names it:

        \(Program.name) schema > experiment.schema.json
        # yaml-language-server: $schema=experiment.schema.json

      The schema checks the structure. Only `\(Program.name) check` also checks what names refer to.
      """)

  @Flag(help: "Print the language's keys as a page of Markdown instead.")
  var markdown = false

  func run() throws {
    finish {
      try standardOutput(
        markdown
          ? LanguagePage.markdown(stageRegistry) : ExperimentSchema(stageRegistry).json.text(.pretty) + "\n")
      return .done
    }
  }
}
