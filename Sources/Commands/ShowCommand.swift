// `plumb show RUN`: one run with its parameters, metrics and stages.

import ArgumentParser
import RunIndex
import Runner
import System

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show one run: parameters, metrics, stages.",
    discussion: """
        \(Program.name) show @last
        \(Program.name) show @last --provenance
      """)

  @Argument(help: runHelp, completion: Completion.runs) var selector: String = "@last"
  @Flag(help: "Write one JSON value.")
  var json = false
  @Flag(
    help: "The models and data that it read: source and revision, SHA-256, licence where a README says one.")
  var provenance = false
  @OptionGroup var storage: StoreArguments
  @OptionGroup var place: RunsArguments

  func run() throws {
    finish {
      if provenance {
        let store = try Store(at: storage.path(projectRoot: place.projectRoot))
        let sources = try RunSources(try place.find(selector), store: store)
        try standardOutput(json ? sources.json.text(.pretty) + "\n" : sources.text(.text))
        return .done
      }
      let report = try RunReport(try place.find(selector))
      if json {
        try standardOutput(report.json.text(.pretty) + "\n")
      } else {
        let (text, hidden) = report.text(columns: terminalColumns(1))
        try standardOutput(text)
        noteHiddenColumns(hidden, in: "--json")
      }
      return .done
    }
  }
}
