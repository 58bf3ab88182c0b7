// `plumb diff RUN RUN`: what is different between two runs, and by how much.

import ArgumentParser
import RunIndex
import Runner
import System

struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compare two runs: parameters, options, metrics, keys, outputs.",
    discussion: """
      Metrics are always shown; everything else only where it differs.

        \(Program.name) diff @last~1 @last
      """)

  @Argument(help: runHelp, completion: Completion.runs) var old: String = "@last~1"
  @Argument(help: runHelp, completion: Completion.runs) var new: String = "@last"
  @Flag(help: "Write one JSON value.")
  var json = false
  @OptionGroup var place: RunsArguments
  @OptionGroup var storage: StoreArguments

  func run() throws {
    finish {
      let runs = try place.index().runs()
      let (a, b) = (try RunSelector.find(old, in: runs), try RunSelector.find(new, in: runs))
      let path = storage.path(projectRoot: place.projectRoot)
      // Without the store the outputs are not known; all else is.
      let store = FileStatus.of(path) == nil ? nil : try Store(at: path)
      store?.onWarning = { standardError("warning: \(TerminalText.escaped($0))\n") }
      let difference = try RunDifference(a, b) { key in
        (try? store?.unverifiedRecord(key))?.outputs ?? []
      }
      try standardOutput(json ? difference.json.text(.pretty) + "\n" : difference.text)
      return .done
    }
  }
}
