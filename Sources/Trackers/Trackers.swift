// Where else a run's numbers go; a new tracker is one file and one line here.

import Runner

package let trackers: [@Sendable (WatchedRun) throws -> (any RunObserver)?] = [
  TensorBoardTracker.kept, MLflowTracker.kept,
]
