// `plumb spin`: one stage alone, on stored inputs, keeping nothing.

import ArgumentParser
import Runner
import System

struct SpinCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spin", abstract: "Run one stage alone on its stored inputs; keep nothing.",
    discussion: """
      The stages it needs must be finished. Its log is shown as it is written; at the end each output is compared with the \
      stored one, and left in --output if that is given. Use it to reproduce a failed stage.

        \(Program.name) spin experiments/quickstart.yaml quark@2.train --output /tmp/look
      """)

  @OptionGroup var experiment: ExperimentArguments

  @Argument(help: "The stage, as `\(Program.name) plan` shows it.", completion: Completion.addresses)
  var address: String

  @OptionGroup var storage: StoreArguments

  @Option(help: ArgumentHelp("Leave the outputs in this new folder.", valueName: "dir"))
  var output: String?

  @Option(help: "Threads the stage may use (default: all processors). Changes no result.")
  var threads: Int?

  func run() throws {
    finish {
      let loaded = load(experiment)
      var spin = Spin(
        plan: loaded.plan, stages: stageRegistry.stages,
        store: storage.path(projectRoot: loaded.projectRoot), address: address)
      spin.outputDirectory = output
      spin.threads = threads
      return try spin.run()
    }
  }
}
