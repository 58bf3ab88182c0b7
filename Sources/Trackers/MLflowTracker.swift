// Tells an MLflow server of a run while it runs, on a thread of its own.

import Glibc
import Runner
import Synchronization
import System

/// `track: {mlflow: {uri: …}}`. A server that is down, slow or wrong fails no run and slows its end by a few seconds at most: what it was not
/// told is found again in the run's folder, by `plumb track sync`.
package final class MLflowTracker: RunObserver, Sendable {
  private let run: String
  private let store: String
  private let settings: Tracking.MLflow
  private let state = Mutex(State())

  private struct State {
    /// A stage has finished of which the server was not told.
    var hasNews = true
    /// The run's record is whole.
    var isWhole = false
    /// The last sending is over, or was given up.
    var isOver = false
    var failure: String?
  }

  /// Between two sendings, and what the end of a run waits for the last one; milliseconds.
  private static let (pause, patience) = (2_000, 5_000)

  private init(_ run: WatchedRun, _ settings: Tracking.MLflow) {
    self.run = run.directory.path
    store = run.storePath
    self.settings = settings
  }

  @Sendable package static func kept(_ run: WatchedRun) throws -> (any RunObserver)? {
    guard let settings = run.tracking.mlflow else { return nil }
    let tracker = MLflowTracker(run, settings)
    try startThread { tracker.follow() }
    return tracker
  }

  package func observe(_ event: RunEvent, in plan: Plan) {
    switch event {
    case .nodeFinished, .nodeCached: state.withLock { $0.hasNews = true }
    default: break
    }
  }

  package func end() {
    state.withLock { $0.isWhole = true }
    for _ in 0..<Self.patience / 20 where !state.withLock(\.isOver) { usleep(20_000) }
    let failure = state.withLock { $0.isOver ? $0.failure : "it has not answered yet" }
    if let failure {
      RunSession.report(
        "note: MLflow was not told all of this run (\(TerminalText.escaped(failure))); `\(Program.name) track sync` tells it the rest"
      )
    }
  }

  private func follow() {
    var failures = 0
    while true {
      // Longer and longer while the server is away; the end of the run ends the pause.
      for _ in 0..<(Self.pause << min(5, failures)) / 20 where !state.withLock(\.isWhole) { usleep(20_000) }
      let (isWhole, hasNews) = state.withLock { state in
        defer { state.hasNews = false }
        return (state.isWhole, state.hasNews)
      }
      guard isWhole || hasNews else { continue }
      do {
        var sender = try MLflowRun(run, store: Store(at: store), to: settings)
        try sender.send()
        failures = 0
        state.withLock { $0.failure = nil }
      } catch {
        failures += 1
        state.withLock { ($0.failure, $0.hasNews) = ("\(error)", true) }
      }
      if isWhole { return state.withLock { $0.isOver = true } }
    }
  }
}
