// `plumb config`: an experiment as it is understood, and where each value comes from.

import ArgumentParser
import Runner
import System

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Print the resolved experiment: parameters, defaults, loops. Runs nothing.",
    discussion: """
      YAML: every stage by its address, with every option it will have. With `--origin` each value is followed by the place \
      that set it: `FILE:LINE:COLUMN`, `--set:1:COLUMN`, or `default`.

        \(Program.name) config experiments/quickstart.yaml --origin --set lr=1e-5
      """)

  @OptionGroup var experiment: ExperimentArguments

  @Flag(help: "Print after each value where it comes from.")
  var origin = false

  func run() throws {
    finish {
      switch Planner.plan(path: experiment.file, overrides: experiment.set, stages: stageRegistry) {
      case .failure(let list):
        report(list, experiment.format)
        return .experiment
      case .success(let (resolved, plan)):
        report(DiagnosticList(plan.warnings), experiment.format)
        try standardOutput(ResolvedConfiguration(resolved, plan, showsOrigins: origin).text)
        return .done
      }
    }
  }
}
