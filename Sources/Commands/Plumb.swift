// The command line as a library: `plumb` itself, and programs that add stages of their own.

import ArgumentParser
import Glibc
import Runner
import System

public enum Plumb {
  /// Runs the command that the process was given, with the built-in stages and these, and ends the process.
  ///
  ///     Plumb.main(stages: [KeepLongStage.self])
  ///
  /// Such a program does everything `plumb` does; its runs start it again as their workers, so it must do nothing else.
  public static func main(stages: [any Stage.Type] = []) -> Never {
    openStandardDescriptors()
    Program.name = calledName
    // Started once for each stage of a run, it leaves out all that it does not need: its run has checked the list and the words.
    if let task = WorkerCommand.task(in: CommandLine.arguments) {
      Glibc.exit(runWorker(taskPath: task, stages: allStages(with: stages)))
    }
    // A stage that crashes is its run's to tell; all other processes tell it themselves.
    InternalError.watch()
    addStages(stages)
    refuseUnknownCommand()
    do {
      var command = try RootCommand.parseAsRoot()
      try command.run()
      Glibc.exit(System.ExitCode.done.rawValue)
    } catch let code as ArgumentParser.ExitCode {
      Glibc.exit(code.rawValue)
    } catch {
      // `--help`, `--version` and scripts of completion arrive here as well, with code 0.
      var text = RootCommand.fullMessage(for: error)
      let code = RootCommand.exitCode(for: error).rawValue
      if code == 0 {
        if BashCompletion.isRequested(CommandLine.arguments) { text = BashCompletion.script(around: text) }
        finish {
          try standardOutput(text + "\n")
          return .done
        }
      }
      // The house's errors begin in lower case.
      standardError((text.hasPrefix("Error: ") ? "error: " + text.dropFirst(7) : text) + "\n")
      Glibc.exit(System.ExitCode.commandLine.rawValue)
    }
  }
}

func standardOutput(_ text: String) throws {
  try File(descriptor: 1, path: "standard output").writeAll(text)
}

func standardError(_ text: String) {
  // Nobody reads a closed stderr.
  try? File(descriptor: 2, path: "stderr").writeAll(text)
}

/// Ends the process; errors that reached this far are said first.
func finish(_ body: () throws -> System.ExitCode) -> Never {
  do {
    let code = try body()
    if code == .bug { InternalError.report("the error above") }
    Glibc.exit(code.rawValue)
  } catch let error as SystemError where error.code == EPIPE && error.path == "standard output" {
    // Whoever reads has seen enough, as with `| head`: what a signal would do.
    Glibc.exit(128 + SIGPIPE)
  } catch {
    let code = System.ExitCode(forOwn: error)
    if code == .bug { InternalError.report("\(type(of: error)): \(error)") }
    standardError("error: \(TerminalText.escaped("\(error)"))\n")
    Glibc.exit(code.rawValue)
  }
}
