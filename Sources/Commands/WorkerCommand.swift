// `plumb worker`: one stage in a process of its own; started by a run, not by people.

import ArgumentParser
import Glibc
import Runner

struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Run one task of a run.", shouldDisplay: false)

  /// Of a process's words, where a run gave them; others are read as those of a person.
  static func task(in arguments: [String]) -> String? {
    arguments.count == 3 && arguments[1] == "worker" && arguments[2].hasPrefix("/") ? arguments[2] : nil
  }

  @Argument(help: "The task file a run has written.")
  var task: String

  func run() throws { Glibc.exit(runWorker(taskPath: task, stages: stageRegistry.stages)) }
}
