// The command line: `plumb COMMAND …`.

import ArgumentParser
import Glibc
import Runner

@main struct Plumb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plumb",
    abstract: "Runs language-model alignment experiments from one YAML file.",
    subcommands: [RunCommand.self, PlanCommand.self, CheckCommand.self, WorkerCommand.self])

  static func main() {
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
        print(text)
        Glibc.exit(0)
      }
      standardError(text + "\n")
      Glibc.exit(Runner.ExitCode.commandLine.rawValue)
    }
  }
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
