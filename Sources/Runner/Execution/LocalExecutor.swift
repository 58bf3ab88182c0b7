// Workers as processes of this machine, which end with the run.

import Glibc
import System

package final class LocalExecutor: Executor {
  package static let name = "local"
  package static let outlivesRun = false
  private var workers: [JobHandle: LocalWorker] = [:]

  package init() {}

  package func submit(_ job: Job) throws -> JobHandle {
    let worker = try LocalWorker(job)
    let handle = JobHandle("process \(worker.process.processID)")
    workers[handle] = worker
    return handle
  }

  package func adopt(_ handle: JobHandle, _ job: Job) -> Bool { false }

  package func poll(_ handles: [JobHandle]) -> [JobHandle: JobReport] {
    var reports: [JobHandle: JobReport] = [:]
    for handle in handles { reports[handle] = workers[handle]?.poll() }
    return reports
  }

  package func logs(of handle: JobHandle) -> [UInt8] {
    guard let worker = workers[handle] else { return [] }
    if worker.hasEnded { workers[handle] = nil }
    return worker.takeLog()
  }

  package func cancel(_ handle: JobHandle, _ how: Cancellation) {
    switch how {
    case .stop: workers[handle]?.process.send(SIGTERM)
    case .kill: workers[handle]?.process.sendToGroup(SIGKILL)
    }
  }

  package func waits(for handles: [JobHandle]) -> JobWaits {
    let open = handles.compactMap { workers[$0] }
    // One whose pipes are closed is about to end; an old kernel has no descriptor for that.
    let isEnding = open.contains { $0.pipes.isEmpty && $0.endDescriptor == nil }
    return JobWaits(
      reports: open.flatMap(\.pipes), ends: open.compactMap(\.endDescriptor),
      milliseconds: isEnding ? 2 : 100)
  }
}
