// `plumb run`: runs an experiment, or goes on with it.

import ArgumentParser
import Runner

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run an experiment; what is finished already is not run again.",
    discussion: """
      The first Ctrl-C stops at the next point from which the same command goes on, the second at once. At the end the declared \
      metrics and a table of all evaluations go to standard output; all else goes to standard error, and everything about the \
      run to runs/NAME/ID/.

        plumb run experiments/quickstart.yaml --set iterations=3
      """)

  @OptionGroup var experiment: ExperimentArguments
  @OptionGroup var storage: StoreArguments

  @Option(help: "Threads a stage may use (default: all processors). Changes no result.")
  var threads: Int?

  @Option(help: "Stages at once, at most.")
  var jobs: Int?

  @Flag(help: "Write events to standard output, one JSON object a line.")
  var json = false

  func validate() throws {
    for (name, value) in [("--threads", threads), ("--jobs", jobs)] {
      if let value, value < 1 { throw ValidationError("\(name) must be at least 1, found \(value)") }
    }
  }

  func run() throws {
    finish {
      let loaded = load(experiment)
      var session = RunSession(
        plan: loaded.plan, stages: stageRegistry.stages, store: storage.path(projectRoot: loaded.projectRoot),
        runs: "\(loaded.projectRoot)/runs", experimentText: loaded.text,
        command: shellWords(["plumb"] + CommandLine.arguments.dropFirst()), threads: threads, jobs: jobs,
        writesEvents: json)
      session.parameters = loaded.parameters
      return session.run()
    }
  }
}
