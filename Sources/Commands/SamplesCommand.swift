// `plumb samples EXPERIMENT ADDRESS…`: what stages wrote for the same prompts, side by side.

import ArgumentParser
import JSON
import Runner
import System

struct SamplesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "samples", abstract: "Show what stages generated for the same prompts. Runs nothing.",
    discussion: """
      An address is a stage as `\(Program.name) plan` shows it; `@last` is the last iteration, and `.NAME` an output. FILE::ADDRESS is \
      of another experiment or run. The first address chooses the prompts: its first rows, with --seed rows drawn at random, with \
      --best and --worst those with the highest and the lowest score of a generation. Behind a generation stand its scores, by the \
      names of their columns, and which one of its prompt it is.

        \(Program.name) samples experiments/quickstart.yaml before_score quark@last.judge
        \(Program.name) samples experiments/quickstart.yaml quark@last.judge --best 3 --worst 3 --by rewards
        \(Program.name) samples @last quark@1.judge quark@last.judge --diff --seed 1
        \(Program.name) samples @last quark@last.judge --each all --md > samples.md
      """)

  @Argument(
    help: ArgumentHelp(
      "The experiment, a YAML file; or a run: its folder, an id or the beginning of one, `@last`, `NAME@last`.",
      valueName: "experiment"), completion: Completion.experiment)
  var source: String

  @Argument(
    help: ArgumentHelp(
      "Stages that write generations: before_score, quark@last.judge.", valueName: "address"),
    completion: Completion.addresses)
  var addresses: [String]

  @Option(help: "Prompts (default: 5).")
  var count: Int?

  @Option(help: ArgumentHelp("Generations of each prompt: a number, or all.", valueName: "n|all"))
  var each = SampleCount.some(1)

  @Option(
    help: "Draw the prompts, and the generations of each, with this seed; the same seed draws the same.")
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "The prompts with the highest scores, the generations of each in the order of their scores.",
      valueName: "n"))
  var best: Int?

  @Option(help: ArgumentHelp("The prompts with the lowest scores.", valueName: "n"))
  var worst: Int?

  @Option(
    help: ArgumentHelp(
      "For --best and --worst, the column of scores of the first address (default: rewards, else the first).",
      valueName: "column"))
  var by: String?

  @Flag(help: "Mark the words that differ between two addresses.")
  var diff = false

  @Flag(help: "Write Markdown.")
  var md = false
  @Flag(help: "Write one JSON value.")
  var json = false

  @OptionGroup var parameters: ParameterArguments
  @OptionGroup var storage: StoreArguments
  @OptionGroup var place: RunsArguments

  func validate() throws {
    for (name, value) in [("--count", count), ("--best", best), ("--worst", worst)] {
      if let value, value < 1 { throw ValidationError("\(name) must be at least 1, found \(value)") }
    }
    if addresses.isEmpty { throw ValidationError("at least one address is needed, such as quark@last.judge") }
    let isRanked = best != nil || worst != nil
    if isRanked, count != nil || seed != nil {
      throw ValidationError(
        "--best and --worst choose the prompts; \(count != nil ? "--count" : "--seed") goes without them")
    }
    if by != nil, !isRanked { throw ValidationError("--by needs --best or --worst") }
    if diff, addresses.count != 2 {
      throw ValidationError("--diff compares two addresses, found \(addresses.count)")
    }
    if md, json { throw ValidationError("only one of --json and --md is possible") }
  }

  func run() throws {
    finish {
      let file = try experimentOrRun(source, place)
      if !parameters.set.isEmpty, FileStatus.of(file)?.isDirectory == true {
        throw RunError(
          .commandLine, "--set goes with an experiment's file; a run has the parameters that it had")
      }
      let results = try StoredResult.all(
        addresses.map { text in
          guard let other = ResultAddress(text) else { return ResultAddress(file: file, address: text) }
          return ResultAddress(file: try experimentOrRun(other.file, place), address: other.address)
        }, parameters,
        storage: storage)
      let sheets = try zip(results, addresses).map { try SampleSheet($0, named: $1, ranking: by) }
      let orders: [(order: SampleOrder, count: Int?)] =
        best == nil && worst == nil
        ? [(seed.map { .drawn(seed: $0) } ?? .first, count ?? 5)] : [(.highest, best), (.lowest, worst)]
      let selections = try orders.compactMap { order, count in
        try count.map { try SampleSelection(sheets, order, count: $0, each: each.number, by: by) }
      }
      let text = SamplesText(sheets: sheets, marksDifferences: diff)
      if json {
        try standardOutput(text.json(selections).text(.pretty) + "\n")
      } else if md {
        try standardOutput(selections.map { text.markdown($0) }.joined(separator: "\n"))
      } else {
        let width = max(40, terminalColumns(1) ?? 100)
        try standardOutput(
          selections.map { text.text($0, width: width, isColored: usesColor(1)) }.joined(separator: "\n"))
      }
      return .done
    }
  }
}

/// `--each`
enum SampleCount: ExpressibleByArgument {
  case some(Int)
  case all

  init?(argument: String) {
    if argument == "all" {
      self = .all
    } else {
      guard let number = Int(argument), number > 0 else { return nil }
      self = .some(number)
    }
  }

  var number: Int? { if case .some(let number) = self { number } else { nil } }

  var defaultValueDescription: String { number.map { "\($0)" } ?? "all" }
}

/// An experiment's file or a run's folder, by what stands on the command line: either of them, or a run as `show` takes it.
func experimentOrRun(_ text: String, _ place: RunsArguments) throws -> String {
  let isFile = FileStatus.of(text) != nil || text.hasSuffix(".yaml") || text.hasSuffix(".yml")
  return isFile ? text : try place.find(text).path
}
