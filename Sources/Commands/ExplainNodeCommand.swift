// `plumb explain-node EXPERIMENT ADDRESS`: what a stage's key is made of, and what changed since it last ran.

import ArgumentParser
import RunIndex
import Runner
import System

struct ExplainNodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain-node",
    abstract: "Show the fields of a stage's key and what changed in them. Runs nothing.",
    discussion: """
      Each line is a field of the key: its value, what it was in the nearest earlier record, and the place that set it. In the \
      first column `~` is changed, `+` new, `-` gone.

        \(Program.name) explain-node experiments/quickstart.yaml quark@2.train
      """)

  @OptionGroup var experiment: ExperimentArguments

  @Argument(
    help: "A stage as `\(Program.name) plan` shows it: quark@2.train, quark@last.train.",
    completion: Completion.addresses)
  var address: String

  @OptionGroup var storage: StoreArguments

  @Flag(help: "Write one JSON value to standard output.")
  var json = false

  func run() throws {
    finish {
      let loaded = load(experiment)
      let store = try Store(at: storage.path(projectRoot: loaded.projectRoot))
      store.onWarning = { standardError("warning: \(TerminalText.escaped($0))\n") }
      var resolution = try Resolution(plan: loaded.plan, store: store, stages: stageRegistry.stages)
      let (node, _) = try resolution.find(address, stages: stageRegistry)
      // The index only widens the choice of what to compare with.
      let index = try? RunIndex(runs: "\(loaded.projectRoot)/runs")
      let history = try index?.keys(experiment: loaded.plan.experimentName, address: node.address) ?? []
      let explanation = try NodeExplanation(node, in: &resolution, history: history)
      store.saveStatCache()
      try standardOutput(json ? explanation.json.text(.pretty) + "\n" : explanation.text)
      return .done
    }
  }
}
