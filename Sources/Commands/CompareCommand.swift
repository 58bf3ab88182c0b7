// `plumb compare`: results prompt by prompt, or runs by their parameters.

import ArgumentParser
import JSON
import RunIndex
import Runner
import System

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compare results prompt by prompt, or runs by their metrics.",
    discussion: """
      Of results, EXPERIMENT.yaml::ADDRESS or RUN_DIRECTORY::ADDRESS, the first is the baseline: of each column of numbers the \
      means, the difference prompt by prompt with its error and interval, and how many prompts rose.

      Of runs, named by experiment (its name or its file) or one by one, groups: runs that differ only in `--over` are taken \
      together, the others stand side by side. Without a name: the runs of the last one's experiment.

        \(Program.name) compare quickstart.yaml::before_score quickstart.yaml::quark@last.judge
        \(Program.name) compare quickstart --by lr --over seed --sort -after
      """)

  @Argument(
    help: ArgumentHelp("Results, or experiments and runs.", valueName: "result-or-run"), completion: .file())
  var names: [String] = []

  @Option(help: ArgumentHelp("Of results: only these columns.", valueName: "a,b"))
  var columns: NameList?

  @Option(
    help: ArgumentHelp("Of runs: parameters that make groups (default: all that differ).", valueName: "a,b"))
  var by: NameList?

  @Option(
    help: ArgumentHelp("Of runs: parameters that a group takes together (default: seed).", valueName: "a,b"))
  var over: NameList?

  @Option(help: ArgumentHelp("Of runs: only these metrics.", valueName: "a,b"))
  var metric: NameList?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Of runs: sort by a metric, ascending; `-reward` sorts descending.", valueName: "metric"))
  var sort: String?

  @OptionGroup var output: TableArguments
  @OptionGroup var parameters: ParameterArguments
  @OptionGroup var storage: StoreArguments
  @OptionGroup var place: RunsArguments

  private var results: [ResultAddress] { names.compactMap { modelResult($0) } }

  func validate() throws {
    let results = results
    if !results.isEmpty, results.count < max(2, names.count) {
      throw ValidationError(
        results.count < names.count
          ? "results are compared with results: each is EXPERIMENT.yaml::ADDRESS"
          : "at least two results are needed; the first is the baseline")
    }
    let ofRuns: [(name: String, isGiven: Bool)] = [
      ("--by", by != nil), ("--over", over != nil), ("--metric", metric != nil), ("--sort", sort != nil),
    ]
    if !results.isEmpty, let option = ofRuns.first(where: \.isGiven) {
      throw ValidationError("\(option.name) is for runs, and these are results")
    }
    if results.isEmpty, columns != nil {
      throw ValidationError("--columns is for results, and these are runs")
    }
  }

  func run() throws {
    finish {
      let results = results
      guard results.isEmpty else {
        let compared = try ComparedRows(
          try StoredResult.all(results, parameters, storage: storage), columns: columns?.names)
        try standardOutput(
          output.json ? try compared.json.text(.pretty) + "\n" : try compared.text(output.format))
        note(compared.notes)
        return .done
      }
      let compared = try RunComparison(
        try runs(), by: by?.names, over: over?.names, metrics: metric?.names, sort: sort)
      try standardOutput(output.json ? compared.json.text(.pretty) + "\n" : compared.text(output.format))
      note(compared.notes)
      return .done
    }
  }

  private func note(_ lines: [String]) {
    if output.isForPeople {
      standardError(lines.map { TerminalText.escaped($0) + "\n" }.joined())
    }
  }

  private func runs() throws -> [RunSummary] {
    let all = try place.index().runs()
    guard !names.isEmpty else {
      let last = try RunSelector.find("@last", in: all)
      return all.filter { UTF8Key($0.experiment) == UTF8Key(last.experiment) }
    }
    return try runsNamed(names, in: all)
  }
}
