// The commands there are, and what `--help` says of them all.

import ArgumentParser
import Glibc
import Runner
import System

/// As the user calls it: a program with stages of its own has its own name.
let calledName: String = {
  let path = CommandLine.arguments.first ?? ""
  let name = path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(decoding: $0, as: UTF8.self) }
  return name ?? Program.name
}()

let programVersion = "plumb 0.1.0-dev"

struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.name,
    abstract: "Runs language-model alignment experiments from one YAML file.",
    discussion: """
        \(Program.name) run experiments/quickstart.yaml     only what is not finished yet
        \(Program.name) plan experiments/quickstart.yaml    what would run, and why

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
        10   an executor lost a job or killed it
        11   there is something to run first (plan --check, samples)
        12   a condition of `expect:` does not hold
        13   verify: a stage computed other bytes than the stored ones
        70   a bug in plumb
        75   stopped at a checkpoint: run again
        130  interrupted (143: terminated): run again to resume
      """,
    version: programVersion,
    subcommands: [
      InitCommand.self, RunCommand.self, SpinCommand.self, PlanCommand.self,
      ConfigCommand.self, CheckCommand.self, RowsCommand.self, SamplesCommand.self, TryCommand.self,
      Inspect.self,
      ConvertCommand.self, TokenizerCommand.self,
      StagesCommand.self, NewStageCommand.self, SchemaCommand.self, ExplainCommand.self, YAMLCommand.self,
      WorkerCommand.self,
      SweepCommand.self,
      ExplainNodeCommand.self, RunsCommand.self, ShowCommand.self, DiffCommand.self, LogsCommand.self,
      StatusCommand.self, CompareCommand.self, PlotCommand.self, ReportCommand.self, UICommand.self,
      TrackCommand.self,
      VerifyCommand.self,
      ExportCommand.self,
      CacheCommand.self,
      VersionCommand.self,
    ])
}

/// The argument parser says only that a word was unexpected.
func refuseUnknownCommand() {
  guard let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"), word != "help" else {
    return
  }
  let commands = RootCommand.configuration.subcommands.map { $0.configuration }
  let names = commands.compactMap(\.commandName)
  if names.contains(word) { return }
  let shown = zip(commands, names).filter { $0.0.shouldDisplay }.map(\.1)
  let help =
    Suggestion.nearest(to: word, among: shown).map { "did you mean `\($0)`?" }
    ?? "the commands are \(shown.map { "`\($0)`" }.joined(separator: ", "))"
  standardError("error: there is no command `\(TerminalText.escaped(word))`; \(help)\n")
  Glibc.exit(System.ExitCode.commandLine.rawValue)
}
