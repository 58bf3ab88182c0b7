// What a worker may write.

import Experiments
import System

extension Confinement {
  /// Of a worker, which takes the outputs into the store itself.
  init(_ task: WorkerTask) {
    self.init([
      Path.parent(task.scratch), Path.parent(task.output), task.checkpointDirectory,
      Path.parent(task.journalDirectory),
      task.store.isEmpty ? "" : "\(task.store)/objects", task.store.isEmpty ? "" : "\(task.store)/evicted",
      task.inputs.contains { $0.server != nil } ? task.repliesDirectory : "",
    ])
  }
}
