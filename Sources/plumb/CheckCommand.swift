// `plumb check`: reads an experiment and says everything that is wrong with it.

import ArgumentParser
import Runner

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Say everything that is wrong with an experiment. Runs nothing.",
    discussion: """
      Every mistake is shown with its place and, where one is near, what was probably meant; then it ends with 3.

        plumb check experiments/quickstart.yaml
      """)

  @OptionGroup var experiment: ExperimentArguments

  func run() throws {
    finish {
      let plan = load(experiment).plan
      let count = plan.nodes.count
      try standardOutput(
        "\(TerminalText.escaped(plan.experimentName)): good, \(count) stage\(count == 1 ? "" : "s") to run\n")
      return .done
    }
  }
}
