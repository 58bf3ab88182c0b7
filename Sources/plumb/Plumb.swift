// The command line: `plumb COMMAND …`.

import ArgumentParser
import Glibc
import Runner

@main struct Plumb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plumb",
    abstract: "Runs language-model alignment experiments from one YAML file.",
    discussion: """
        plumb run experiments/quickstart.yaml     only what is not finished yet
        plumb plan experiments/quickstart.yaml    what would run, and why

      Data goes to standard output, all else to standard error.

      Exit codes:
        0    done
        1    a stage failed; what was finished is kept
        2    wrong command line
        3    the experiment is wrong; nothing was run
        4    an input file (data, model, tokenizer) is wrong
        5    the store is damaged or newer than this program
        6    the machine: disk full, memory, permission, a missing program
        7    a remote service refused or stayed down
        8    still locked by another run when --wait expired
        11   there is something to run first (plan --check, samples)
        12   what `expect:` asks for does not hold
        70   a bug in plumb
        75   stopped at a checkpoint: run again
        130  interrupted (143: terminated): run again to go on
      """,
    version: "plumb 0.1.0-dev",
    subcommands: [
      InitCommand.self, RunCommand.self, SpinCommand.self, PlanCommand.self, ConfigCommand.self,
      CheckCommand.self, SamplesCommand.self, TryCommand.self, Inspect.self, StagesCommand.self,
      SchemaCommand.self, ExplainCommand.self, YAMLCommand.self, WorkerCommand.self,
      ExplainNodeCommand.self, RunsCommand.self, ShowCommand.self, DiffCommand.self, LogsCommand.self,
      StatusCommand.self,
      ExportCommand.self, CacheCommand.self,
    ])

  static func main() {
    refuseUnknownCommand()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let code as ArgumentParser.ExitCode {
      Glibc.exit(code.rawValue)
    } catch {
      // `--help` and `--version` arrive here as well, with code 0.
      let text = fullMessage(for: error)
      let code = exitCode(for: error).rawValue
      if code == 0 {
        finish {
          try standardOutput(text + "\n")
          return .done
        }
      }
      // The house's errors begin in lower case.
      standardError((text.hasPrefix("Error: ") ? "error: " + text.dropFirst(7) : text) + "\n")
      Glibc.exit(Runner.ExitCode.commandLine.rawValue)
    }
  }
}

/// The argument parser says only that a word was unexpected.
private func refuseUnknownCommand() {
  guard let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"), word != "help" else {
    return
  }
  let commands = Plumb.configuration.subcommands.map { $0.configuration }
  let names = commands.compactMap(\.commandName)
  if names.contains(word) { return }
  let shown = zip(commands, names).filter { $0.0.shouldDisplay }.map(\.1)
  let help =
    Suggestion.nearest(to: word, among: shown).map { "did you mean `\($0)`?" }
    ?? "the commands are \(shown.map { "`\($0)`" }.joined(separator: ", "))"
  standardError("error: there is no command `\(TerminalText.escaped(word))`; \(help)\n")
  Glibc.exit(Runner.ExitCode.commandLine.rawValue)
}

func standardOutput(_ text: String) throws {
  try File(descriptor: 1, path: "standard output").writeAll(text)
}

func standardError(_ text: String) {
  // Nobody reads a closed stderr.
  try? File(descriptor: 2, path: "stderr").writeAll(text)
}

/// Ends the process; errors that reached this far are said first.
func finish(_ body: () throws -> Runner.ExitCode) -> Never {
  do {
    let code = try body()
    Glibc.exit(code.rawValue)
  } catch {
    standardError("error: \(TerminalText.escaped("\(error)"))\n")
    Glibc.exit(Runner.ExitCode(for: error).rawValue)
  }
}
