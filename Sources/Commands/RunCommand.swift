// `plumb run`: runs an experiment, or goes on with it.

import ArgumentParser
import Runner
import System

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run an experiment; finished stages are not run again.",
    discussion: """
      The first Ctrl-C stops at the next point from which the same command can resume, the second at once. At the end the declared \
      metrics and a table of all evaluations go to standard output; all else goes to standard error, and everything about the \
      run to runs/NAME/ID/.

        \(Program.name) run experiments/quickstart.yaml --set iterations=3
      """)

  @OptionGroup var experiment: ExperimentArguments
  @OptionGroup var storage: StoreArguments

  @Option(
    help: "Where stages run: \(executors.map { $0.name }.joined(separator: ", ")) (the first is the default)."
  )
  var executor: String?

  @Option(help: "Threads a stage may use (default: all processors). Changes no result.")
  var threads: Int?

  @Option(name: .shortAndLong, help: "Maximum number of stages at once (default: 8).")
  var jobs: Int?

  @Flag(
    exclusivity: .exclusive,
    help: ArgumentHelp(
      "After a failure: run the stages that do not need the failed one, or stop all others (the default)."))
  var afterFailure = AfterFailure.failFast

  @OptionGroup var selection: SelectionArguments
  @Option(
    help: ArgumentHelp(
      "Seconds to wait for a stage that another run computes, then exit with 8 (default: until it is done).",
      valueName: "seconds"))
  var wait: Double?

  @OptionGroup var reading: ReadingArguments

  @Flag(help: "Write events to standard output, one JSON object per line.")
  var json = false

  func validate() throws {
    for (name, value) in [("--threads", threads), ("--jobs", jobs)] {
      if let value, value < 1 { throw ValidationError("\(name) must be at least 1, found \(value)") }
    }
    if let executor, !executors.contains(where: { $0.name == executor }) {
      let names = executors.map { "`\($0.name)`" }.joined(separator: ", ")
      throw ValidationError("--executor must be one of \(names), found `\(executor)`")
    }
    if let wait, !(wait >= 0 && wait < 1e9) {
      throw ValidationError("--wait must be a number of seconds, found \(wait)")
    }
  }

  func run() throws {
    finish {
      let loaded = load(experiment, storage, reading)
      if let sweep = loaded.sweep { try refuse(sweep, experiment) }
      let selection = try selection.selection(in: loaded.plan)
      var session = loaded.session(store: storage.path(projectRoot: loaded.projectRoot))
      if let chosen = executors.first(where: { $0.name == executor }) { session.executor = chosen }
      session.threads = threads
      session.jobs = jobs
      session.writesEvents = json
      session.keepsGoing = afterFailure == .keepGoing
      session.selection = selection
      let words = [Program.name, "spin", experiment.file] + experiment.set.flatMap { ["--set", $0] }
      let store = storage.store.map { ["--store", $0] } ?? []
      session.reproducing = { shellWords(words + [$0] + store) }
      session.lockWaitSeconds = wait
      session.isStrict = reading.strict
      return session.run()
    }
  }
}

enum AfterFailure: String, EnumerableFlag {
  case keepGoing
  case failFast
}

/// Which stages, for commands that may look at a part of the plan.
struct SelectionArguments: ParsableArguments {
  static let address = "address"

  @Option(
    help: ArgumentHelp("Only these stages; what they need must be finished.", valueName: address),
    completion: Completion.addresses)
  var only: [String] = []

  @Option(
    help: ArgumentHelp("These stages, all that depends on them, and what that needs.", valueName: address),
    completion: Completion.addresses)
  var from: [String] = []

  @Option(
    help: ArgumentHelp("These stages and all they need.", valueName: address),
    completion: Completion.addresses)
  var until: [String] = []

  @Option(
    help: ArgumentHelp(
      "Compute these again although they are finished, and report whether the bytes differ.",
      valueName: address),
    completion: Completion.addresses)
  var force: [String] = []

  func selection(in plan: Plan) throws -> Selection {
    try Selection(only: only, from: from, until: until, force: force, in: plan)
  }
}
