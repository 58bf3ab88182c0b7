// The observers of a run, by which it is kept and shown.

import Glibc
import System

/// What there is for an observer to decide whether it watches a run, and where it writes.
package struct WatchedRun: Sendable {
  package let directory: RunDirectory
  /// Whether standard output gets the events and there is no view.
  package let writesEvents: Bool
  /// Whether stderr is a terminal that can redraw lines.
  package let isTerminal: Bool

  init(_ directory: RunDirectory, writesEvents: Bool) {
    self.directory = directory
    self.writesEvents = writesEvents
    let isSimple = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
    isTerminal = isatty(2) == 1 && !isSimple
  }
}

/// In the order in which they are told of each event: first what is kept, then what is shown. Each gives an observer, or nil for a run
/// that it does not watch.
package let runObservers: [@Sendable (WatchedRun) throws -> (any RunObserver)?] = [
  EventLog.kept, EventLog.streamed, LiveView.onTerminal, PlainView.withoutTerminal,
]
