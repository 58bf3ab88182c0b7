// `plumb yaml`: how a YAML text is read, event by event, or as a value.

import ArgumentParser
import Glibc
import JSON
import Runner
import System

struct YAMLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "yaml", abstract: "Show how a YAML file is parsed.",
    subcommands: [Events.self, AsJSON.self])

  struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "events", abstract: "Print the events of a YAML file, one per line.",
      discussion: """
        The format is that of the yaml-test-suite: `+MAP {}` begins a mapping in flow style, `=VAL :text` is a plain scalar, \
        `&` an anchor, `<...>` a tag. Events before the first mistake are printed, the mistake goes to standard error, \
        and the exit code is 3.

          \(Program.name) yaml events experiments/quickstart.yaml
        """)

    @Argument(help: "A YAML file, or `-` for standard input.", completion: .file())
    var file: String

    func run() throws {
      finish {
        let source: SourceFile
        do throws(DiagnosticList) { source = try SourceFile.read(file) } catch {
          printDiagnostics(error)
          return .experiment
        }
        let isTerminal = isatty(1) == 1
        var text = ""
        let mistakes = try EventStream.read(source) { line in
          text += (isTerminal ? TerminalText.escaped(line) : line) + "\n"
          if text.utf8.count >= 1 << 16 {
            try standardOutput(text)
            text = ""
          }
        }
        try standardOutput(text)
        printDiagnostics(mistakes)
        return mistakes.hasErrors ? .experiment : .done
      }
    }
  }

  struct AsJSON: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "json", abstract: "Print a YAML file as JSON, aliases and merges resolved.",
      discussion: """
        For a JSON Schema validator:

          \(Program.name) yaml json experiments/quickstart.yaml | check-jsonschema --schemafile experiment.schema.json -
        """)

    @Argument(help: "A YAML file, or `-` for standard input.", completion: .file())
    var file: String

    func run() throws {
      finish {
        let result: Result<JSON, DiagnosticList>
        do throws(DiagnosticList) { result = Document.json(of: try SourceFile.read(file)) } catch {
          result = .failure(error)
        }
        switch result {
        case .success(let json):
          try standardOutput(json.text(.pretty) + "\n")
          return .done
        case .failure(let list):
          printDiagnostics(list)
          return .experiment
        }
      }
    }
  }
}
