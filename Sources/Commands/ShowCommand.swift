// `plumb show RUN`: one run with its parameters, metrics and stages.

import ArgumentParser
import RunIndex
import Runner
import System

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show one run: parameters, metrics, stages.",
    discussion: "  \(Program.name) show @last")

  @Argument(help: runHelp, completion: Completion.runs) var selector: String = "@last"
  @Flag(help: "Write one JSON value.")
  var json = false
  @OptionGroup var place: RunsArguments

  func run() throws {
    finish {
      let report = try RunReport(try place.find(selector))
      try standardOutput(json ? report.json.text(.pretty) + "\n" : report.text)
      return .done
    }
  }
}
