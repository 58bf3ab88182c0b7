// `plumb plan`: says for each node whether it is cached, will run and why, or waits. Runs nothing.

import ArgumentParser
import Runner
import System

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show what a run would do, and why. Runs nothing.",
    discussion: """
      One line per stage: its address, `cached`, `run` or `waits`, how long it took before if that is known, and why it runs. \
      `waits` is decided after the stages before it have run: if their bytes are unchanged, it stays cached.

        \(Program.name) plan experiments/quickstart.yaml --set lr=1e-5 --why
        \(Program.name) plan experiments/quickstart.yaml --graph dot | dot -Tsvg > plan.svg
      """)

  @OptionGroup var experiment: ExperimentArguments
  @OptionGroup var storage: StoreArguments
  @OptionGroup var selection: SelectionArguments
  @OptionGroup var reading: ReadingArguments

  @Flag(help: "Under each stage, the chain of stages and settings that makes it run.")
  var why = false

  @Flag(help: "Exit with 11 unless every stage is cached or skipped.")
  var check = false

  @Option(help: "Write the graph instead of the table: mermaid or dot.")
  var graph: PlanGraphText.Language?

  @Flag(help: "Write one JSON value to standard output.")
  var json = false

  func validate() throws {
    if json, graph != nil { throw ValidationError("--json and --graph exclude each other") }
  }

  func run() throws {
    finish {
      let loaded = load(experiment, storage, reading)
      let store = try Store(at: storage.path(projectRoot: loaded.projectRoot))
      store.isStrict = reading.strict
      store.onWarning = { standardError("warning: \(TerminalText.escaped($0))\n") }
      let table = try PlanTable(
        loaded.plan, store: store, stages: stageRegistry.stages,
        selection: selection.selection(in: loaded.plan))
      for line in Machine.current().lacks(of: table.unfinished) {
        standardError("warning: \(TerminalText.escaped(line))\n")
      }
      if let graph {
        try standardOutput(PlanGraphText(loaded.plan, table.decisions).text(graph))
      } else {
        try standardOutput(
          json ? table.json().text(.pretty) + "\n" : table.text(showsCauses: why, isColored: usesColor(1)))
      }
      return check && table.hasWork ? .workFound : .done
    }
  }
}

extension PlanGraphText.Language: ExpressibleByArgument {}
