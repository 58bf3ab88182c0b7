// `plumb ui`: all runs in a browser, on this machine alone.

import ArgumentParser
import JSON
import Report
import Runner
import Site
import System

struct UICommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ui", abstract: "Show all runs in a browser, also while they run. Changes nothing.",
    discussion: """
      Serves 127.0.0.1 alone, until Ctrl-C: all runs with search and filters, a run as it goes, its logs, runs compared, a sweep as it \
      grows. Pages ask for nothing from elsewhere. On another machine: `ssh -L 8265:127.0.0.1:8265 HOST`.

        \(Program.name) ui
        \(Program.name) ui --port 0
      """)

  @Option(help: ArgumentHelp("0 for any that is free.", valueName: "port"))
  var port: UInt16 = 8265

  @OptionGroup var storage: StoreArguments
  @OptionGroup var place: RunsArguments

  func run() throws {
    finish {
      ignoreBrokenPipes()
      let store = storage.path(projectRoot: place.projectRoot)
      let (storage, root) = (storage.store, place.projectRoot)
      let site = Site(runs: place.folder, store: store) { run in
        try Self.sweepPage(of: run, root: root, store: storage)
      }
      let server = try HTTPServer(port: port, answer: site.answer)
      try standardOutput("http://127.0.0.1:\(server.port)/\n")
      try server.run()
      return .done
    }
  }

  /// Of the experiment's file as it is now; nil where it has no sweep, or is wrong.
  private static func sweepPage(of run: RunSummary, root: String, store: String?) throws -> Page? {
    guard let file = run.file.map({ $0.hasPrefix("/") ? $0 : "\(root)/\($0)" }) else { return nil }
    let storage = try StoreArguments.parse(store.map { ["--store", $0] } ?? [])
    func reader(_ parameters: [JSONObject.Member]) throws -> ExperimentReader {
      let settings = parameters.flatMap { ["--set", "\($0.key)=\($0.value.text())"] }
      return ExperimentReader(try ExperimentArguments.parse(settings + ["--", file]), storage)
    }
    let all = run.parameters.members
    guard case .success(let (trial, _)) = try reader(all).plan(answers: { _ in nil }), let sweep = trial.sweep
    else { return nil }
    // What the sweep does not give itself was set for all of its runs.
    let given = sweep.names + sweep.repeats.map(\.name)
    let reader = try reader(all.filter { member in !given.contains { UTF8Key($0) == UTF8Key(member.key) } })
    guard case .success(let (experiment, plan)) = reader.plan(answers: { _ in nil }) else { return nil }
    let loaded = LoadedExperiment(experiment, plan, try UserConfiguration.read())
    let progress = try Sweeping(reader, loaded, sweep).progress(storage)
    try progress.advance { _, _, _ in false }
    return try SweepPage(progress, loaded).page
  }
}
