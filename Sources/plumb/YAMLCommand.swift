// `plumb yaml events`: how a YAML text is read, event by event.

import ArgumentParser
import Glibc
import Runner

struct YAMLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "yaml", abstract: "Look at a YAML file as it is read.", subcommands: [Events.self])

  struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "events", abstract: "Print the events of a YAML file, one a line.",
      discussion: """
        The format is that of the yaml-test-suite: `+MAP {}` begins a mapping in flow style, `=VAL :text` is a plain scalar, \
        `&` an anchor, `<...>` a tag. What stands before the first mistake is printed, the mistake is said on standard error, \
        and the command ends with 3.

          plumb yaml events experiments/quickstart.yaml
        """)

    @Argument(help: "A YAML file, or `-` for standard input.", completion: .file())
    var file: String

    func run() throws {
      finish {
        let source: SourceFile
        do throws(DiagnosticList) { source = try SourceFile.read(file) } catch {
          say(error)
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
        say(mistakes)
        return mistakes.hasErrors ? .experiment : .done
      }
    }
  }
}
