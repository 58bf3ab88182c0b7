// `plumb plan`: says for each node whether it is cached, will run and why, or waits. Runs nothing.

import ArgumentParser
import Runner

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Say what a run would do, and why. Runs nothing.",
    discussion: """
      One line a stage: its address, `cached`, `run` or `waits`, and why. `waits` is decided when what it waits for has run.

        plumb plan experiments/quickstart.yaml --set lr=1e-5
      """)

  @OptionGroup var experiment: ExperimentArguments
  @OptionGroup var storage: StoreArguments

  @Flag(help: "Exit with 11 when anything would run.")
  var check = false

  @Flag(help: "Write one JSON value to standard output.")
  var json = false

  func run() throws {
    finish {
      let loaded = load(experiment)
      let store = try Store(at: storage.path(projectRoot: loaded.projectRoot))
      store.onWarning = { standardError("warning: \(TerminalText.escaped($0))\n") }
      let table = try PlanTable(loaded.plan, store: store, stages: stageRegistry.stages)
      try standardOutput(json ? table.json.text(.pretty) + "\n" : table.text)
      return check && table.hasWork ? .workFound : .done
    }
  }
}
