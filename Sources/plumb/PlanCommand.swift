// `plumb plan`: says for each node whether it is cached, will run and why, or waits. Runs nothing.

import ArgumentParser
import Runner

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Say what a run would do, and why. Runs nothing.")

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
      try File(descriptor: 1, path: "standard output").writeAll(json ? table.json.text(.pretty) + "\n" : table.text)
      return check && table.hasWork ? .workFound : .done
    }
  }
}
