// `plumb track sync`: tells trackers what they were not told while a run ran.

import ArgumentParser
import RunIndex
import Runner
import System
import Trackers

struct TrackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "track", abstract: "Tell trackers of runs.", subcommands: [Sync.self])

  struct Sync: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tell MLflow what it was not told while runs ran, because it was away.",
      discussion: """
        Of each run that has ended, what its server does not know yet; the experiment's own copy in the run's folder says which server. \
        Nothing is told twice. With --uri runs that had no tracker are told too.

          \(Program.name) track sync
          \(Program.name) track sync @last --uri http://127.0.0.1:5000
        """)

    @Argument(
      help: ArgumentHelp("Runs or experiments (default: all).", valueName: "run"), completion: Completion.runs
    )
    var names: [String] = []

    @Option(help: ArgumentHelp("A server, in place of the one that the experiment names.", valueName: "url"))
    var uri: String?

    @OptionGroup var storage: StoreArguments
    @OptionGroup var place: RunsArguments

    func run() throws {
      finish {
        let all = try place.index().runs()
        let runs = try (names.isEmpty ? all : runsNamed(names, in: all)).filter { $0.state != .running }
        let store = try Store(at: storage.path(projectRoot: place.projectRoot))
        var (told, failed) = (0, 0)
        for run in runs {
          guard let settings = try settings(of: run) else { continue }
          do {
            var sender = try MLflowRun(run.path, store: store, to: settings)
            guard !sender.isComplete else { continue }
            try sender.send()
            told += 1
            try standardOutput("told  \(TerminalText.escaped("\(run.experiment) \(run.id)"))\n")
          } catch {
            failed += 1
            standardError(TerminalText.escaped("\(run.experiment) \(run.id): \(error)") + "\n")
          }
        }
        standardError(
          "\(told) told" + (failed > 0 ? ", \(failed) not" : "; nothing else is left to tell") + "\n")
        return failed > 0 ? .remote : .done
      }
    }

    private func settings(of run: RunSummary) throws -> Tracking.MLflow? {
      if let uri { return Tracking.MLflow(uri: uri) }
      guard MLflowRun.isWanted(by: run.path), run.file != nil else { return nil }
      let reader = try Commands.experiment(of: run, place)
      guard case .success(let (experiment, _)) = reader.plan(answers: { _ in nil }) else { return nil }
      return experiment.tracking.mlflow
    }
  }
}
