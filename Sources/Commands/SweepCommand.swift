// `plumb sweep`: the trials of a sweep, the best of them, what explains them, and how to take one out.

import ArgumentParser
import JSON
import Runner
import System

struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep", abstract: "Show the trials of a sweep, and steer it. Runs nothing.",
    discussion: """
      `\(Program.name) run FILE` runs the trials; more of them by a greater `trials:` in the file, failed ones again with \
      `--retry-failed`.

        \(Program.name) sweep experiments/sweep.yaml --best 3
        \(Program.name) sweep experiments/sweep.yaml --importance
      """)

  @OptionGroup var experiment: ExperimentArguments

  @Flag(help: "Every trial by its number: state, values, metrics (the default).")
  var status = false

  @Option(help: ArgumentHelp("The best trials.", valueName: "n"))
  var best: Int?

  @Flag(help: "The share of the metric's variance that each parameter explains alone.")
  var importance = false

  @Option(
    help: ArgumentHelp(
      "Take a trial out: it is not run, and in no table. What was suggested from it stays.",
      valueName: "trial"))
  var prune: [Int] = []

  @OptionGroup var output: TableArguments
  @OptionGroup var storage: StoreArguments

  func validate() throws {
    if [status, best != nil, importance].count(where: { $0 }) > 1 {
      throw ValidationError("only one of --status, --best and --importance is possible")
    }
    if let best, best < 1 { throw ValidationError("--best must be at least 1, found \(best)") }
  }

  func run() throws {
    finish {
      let reader = ExperimentReader(experiment, storage, nil)
      let loaded = load(reader) { _ in nil }
      guard let sweep = loaded.sweep else {
        throw RunError(
          .experiment,
          "`\(experiment.file)` has no `sweep:`; `\(Program.name) explain --markdown` and the guide's page on variants say how to write one"
        )
      }
      let progress = try Sweeping(reader, loaded, sweep).progress(storage)
      for trial in prune {
        guard trial >= 1, trial <= progress.count else {
          throw RunError(
            .commandLine, "there is no trial \(trial); the sweep has 1 to \(progress.count)")
        }
        try progress.remove(trial: trial - 1)
      }
      try progress.advance { _, _, _ in false }
      if importance {
        let rows = try SweepTable.importance(progress)
        try standardOutput(output.json ? Self.json(rows) : output.format.text(rows))
        return .done
      }
      let table = try SweepTable(progress, sorts: best != nil)
      try standardOutput(
        output.json ? table.json.text(.pretty) + "\n" : table.text(output.format, limit: best))
      if output.isForPeople {
        standardError(table.notes.map { TerminalText.escaped($0) + "\n" }.joined())
      }
      return .done
    }
  }

  /// The heading gives the names.
  private static func json(_ rows: [[String]]) -> String {
    let names = rows.first ?? []
    let values = rows.dropFirst().map { row in
      JSON.object(JSONObject(zip(names, row).map { ($0, .string($1)) }))
    }
    return JSON.array(values).text(.pretty) + "\n"
  }
}
