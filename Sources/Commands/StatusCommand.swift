// `plumb status`: what is running now, and what was interrupted and how to go on.

import ArgumentParser
import RunIndex
import Runner

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show what is running now, and what was interrupted and how to resume it.",
    discussion: """
      A run counts as running while its process holds the run's lock. An interrupted or failed run is shown when it is the last \
      of its experiment.
      """)

  @Flag(help: "Write one JSON value.")
  var json = false
  @OptionGroup var place: RunsArguments

  func run() throws {
    finish {
      let runs = try place.index().runs()
      var shown: [RunSummary] = []
      for (index, run) in runs.enumerated() {
        let isLast = !runs[(index + 1)...].contains { $0.experiment == run.experiment }
        switch run.state {
        case .running: shown.append(run)
        case .failed, .interrupted: if isLast { shown.append(run) }
        case .done, .ended: break
        }
      }
      let reports = try shown.map { try RunReport($0) }
      if json {
        try standardOutput(RunReport.json(of: reports).text(.pretty) + "\n")
      } else if reports.isEmpty {
        try standardOutput("nothing is running, and nothing was interrupted\n")
      } else {
        try standardOutput(reports.map(\.status).joined())
      }
      return .done
    }
  }
}
