// The metrics and evaluations of a run while it runs: written anew, once a second at most, when a stage has measured something.

import JSON
import System

package final class RunNumbers: RunObserver {
  private let directory: RunDirectory
  private let store: Store
  private var records: [Int: NodeRecord] = [:]
  private var cached: [Int: String] = [:]
  private var skipped: Set<Int> = []
  /// What has measured something since the last writing.
  private var plan: Plan?
  private var lastWriting = -Double.infinity
  private var hasStarted = false

  init(_ directory: RunDirectory, _ store: Store) {
    self.directory = directory
    self.store = store
  }

  @Sendable static func kept(_ run: WatchedRun) -> (any RunObserver)? {
    RunNumbers(run.directory, run.store)
  }

  package func observe(_ event: RunEvent, in plan: Plan) {
    switch event {
    case .nodeCached(let index, let key): cached[index] = key
    case .nodeSkipped(let index): skipped.insert(index)
    case .nodeStarted: if !hasStarted { (hasStarted, self.plan) = (true, plan) }
    case .nodeFinished(let index, let record):
      records[index] = record
      if record.outputs.contains(where: { $0.type == .metrics }) { self.plan = plan }
    default: break
    }
  }

  package func tick() {
    guard let plan, monotonicSeconds() - lastWriting > 1 else { return }
    write(plan)
    self.plan = nil
    lastWriting = monotonicSeconds()
  }

  /// Numbers on the way: what cannot be read or written now is said at the end of the run, which writes them again.
  private func write(_ plan: Plan) {
    for (index, key) in cached where records[index] == nil {
      records[index] = (try? store.unverifiedRecord(key)) ?? nil
    }
    cached = [:]
    guard let metrics = try? MetricValues(of: plan, records: records, skipped: skipped, store: store),
      let evaluations = try? EvaluationTable(of: plan, records: records, store: store)
    else { return }
    try? directory.write([RunDirectory.file(of: metrics), RunDirectory.file(of: evaluations)])
  }
}
