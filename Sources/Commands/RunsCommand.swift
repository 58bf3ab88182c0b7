// `plumb runs`: all runs of a project with their parameters and metrics.

import ArgumentParser
import RunIndex
import Runner
import System

struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "List the runs of this project with their metrics.",
    discussion: """
      Oldest first. Parameters are shown when the runs differ in them. `stages` gives how many ran, how many were cached, and \
      the total. Runs in which nothing was left to do are hidden, but for the first with its parameters.

        \(Program.name) runs quickstart --sort -reward
        \(Program.name) runs --csv > runs.csv
      """)

  @Argument(help: ArgumentHelp("Only the runs of this experiment.", valueName: "name"))
  var name: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Sort by a metric, ascending; `-reward` sorts descending.", valueName: "metric"))
  var sort: String?

  @Option(
    name: .customLong("where"),
    help: ArgumentHelp(
      "Only runs whose parameter, metric or state is so: lr=1e-4, after>0.5, state=done. May be repeated.",
      valueName: "condition"))
  var conditions: [String] = []

  @Option(help: "Only the newest N.")
  var limit: Int?

  @Flag(help: "Also runs in which nothing was left to do.")
  var all = false

  @OptionGroup var output: TableArguments
  @OptionGroup var place: RunsArguments

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be at least 1, found \(limit)") }
  }

  func run() throws {
    finish {
      let found = try place.index().runs(experiment: name)
      var seen: Set<String> = []
      let wanted = found.filter { run in
        let isFirst = seen.insert(run.settings).inserted
        return all || isFirst || !run.hadNothingToDo
      }
      let tests = try conditions.map { try RunCondition($0, among: found) }
      let meant = wanted.filter { run in tests.allSatisfy { $0.holds(for: run) } }
      let table = try RunTable(limit.map { Array(meant.suffix($0)) } ?? meant, sort: sort)
      if output.isForPeople, let columns = terminalColumns(1) {
        let (text, hidden) = table.text(columns: columns)
        try standardOutput(text)
        noteHiddenColumns(hidden, in: "--csv")
      } else {
        try standardOutput(output.json ? table.json.text(.pretty) + "\n" : table.text(output.format))
      }
      let hidden = found.count - wanted.count
      if hidden > 0 {
        standardError(
          "\(hidden) \(hidden == 1 ? "run" : "runs") with nothing left to do \(hidden == 1 ? "is" : "are") hidden; --all shows them\n"
        )
      }
      return .done
    }
  }
}

/// Says which columns a terminal is too narrow for.
func noteHiddenColumns(_ names: [String], in option: String) {
  if names.isEmpty { return }
  let shown = names.count <= 7 ? names : names.prefix(6) + ["\(names.count - 6) more"]
  standardError(
    TerminalText.escaped("too narrow for \(shown.joined(separator: ", ")); \(option) has all columns") + "\n")
}
