// The observers of a run, by which it is kept and shown.

import Glibc
import System

/// What there is for an observer to decide whether it watches a run, and where it writes.
package struct WatchedRun {
  package let directory: RunDirectory
  /// Whether standard output gets the events and there is no view.
  package let writesEvents: Bool
  /// Whether stderr is a terminal that can redraw lines.
  package let isTerminal: Bool
  package let store: Store
  /// The folder of the store.
  package let storePath: String
  package let tracking: Tracking
  /// Seconds that each node may take, nil where nothing tells; asked for only by who shows it.
  package let expectedSeconds: () -> [Double?]

  init(
    _ directory: RunDirectory, store: Store, at storePath: String, tracking: Tracking, writesEvents: Bool,
    expectedSeconds: @escaping () -> [Double?]
  ) {
    self.directory = directory
    self.store = store
    self.storePath = storePath
    self.tracking = tracking
    self.writesEvents = writesEvents
    self.expectedSeconds = expectedSeconds
    let isSimple = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
    isTerminal = isatty(2) == 1 && !isSimple
  }
}

/// In the order in which they are told of each event: first what is kept, then what is shown. Each gives an observer, or nil for a run
/// that it does not watch.
package let runObservers: [@Sendable (WatchedRun) throws -> (any RunObserver)?] = [
  EventLog.kept, RunNumbers.kept, EventLog.streamed, LiveView.onTerminal,
  PlainView.withoutTerminal,
]
