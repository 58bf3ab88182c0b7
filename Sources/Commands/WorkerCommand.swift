// `plumb worker`: one stage in a process of its own; started by a run, not by people.

import ArgumentParser
import Glibc
import Runner

struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Run one task of a run.", shouldDisplay: false)

  @Argument(help: "The task file a run has written.")
  var task: String

  func run() throws { Glibc.exit(runWorker(taskPath: task, stages: stageRegistry.stages)) }
}
