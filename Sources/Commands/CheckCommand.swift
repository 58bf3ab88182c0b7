// `plumb check`: reads an experiment and says everything that is wrong with it.

import ArgumentParser
import Runner

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Say everything that is wrong with an experiment. Runs nothing.",
    discussion: """
      Every mistake is shown with its place and, where one is near, what was probably meant; then it ends with 3. `\(Program.name) \
      explain CODE` says more about a kind of mistake. With `--format json` the mistakes, and nothing else, go to standard \
      output, one object a line; other commands write them to standard error, their own results being on standard output.

        \(Program.name) check experiments/quickstart.yaml
      """)

  @OptionGroup var experiment: ExperimentArguments

  func run() throws {
    finish {
      let plan = load(experiment, jsonTo: 1).plan
      if experiment.format == .json { return .done }
      for line in Machine.current().lacks(of: plan.nodes) {
        standardError("warning: \(TerminalText.escaped(line))\n")
      }
      let count = plan.nodes.count
      try standardOutput(
        "\(TerminalText.escaped(plan.experimentName)): good, \(count) stage\(count == 1 ? "" : "s") to run\n")
      return .done
    }
  }
}
