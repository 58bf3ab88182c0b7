// How a table is written: for people, as JSON, for a spreadsheet, for a pull request, for a paper.

import ArgumentParser
import Runner

struct TableArguments: ParsableArguments {
  @Flag(help: "Write one JSON value.")
  var json = false
  @Flag(help: "Write comma-separated values, numbers in full.")
  var csv = false
  @Flag(help: "Write Markdown.")
  var md = false
  @Flag(help: "Write LaTeX.")
  var latex = false

  func validate() throws {
    if [json, csv, md, latex].count(where: { $0 }) > 1 {
      throw ValidationError("only one of --json, --csv, --md and --latex is possible")
    }
  }

  /// Of all but JSON.
  var format: TableFormat { csv ? .csv : md ? .md : latex ? .latex : .text }

  /// Whether people read it, so that notes stand beside it.
  var isForPeople: Bool { format == .text && !json }
}
