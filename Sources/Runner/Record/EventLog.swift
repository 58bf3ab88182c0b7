// The event log: every event as one line of `events.jsonl`, appended as it happens. The truth about a run.

import Glibc
import JSON

package final class EventLog: RunObserver {
  private let file: File
  private var lastProgress: [Int: Double] = [:]
  /// The first write that failed; the run is told at its end.
  package private(set) var problem: (any Error)?

  /// Standard output may be given as descriptor 1.
  package init(_ file: File) { self.file = file }

  package convenience init(path: String) throws {
    self.init(try File.open(path, O_WRONLY | O_CREAT | O_APPEND))
  }

  package func observe(_ event: RunEvent, in plan: Plan) {
    if case .nodeProgress(let index, let progress) = event {
      // One in ten seconds and the last are enough to draw a curve.
      let now = monotonicSeconds()
      if progress.done < progress.total, now - (lastProgress[index] ?? -100) < 10 { return }
      lastProgress[index] = now
    }
    var object = JSONObject([("time", .string(Timestamp.now().text))])
    for member in event.json(in: plan).members { object[member.key] = member.value }
    do {
      try file.writeAll(JSON.object(object).text() + "\n")
      if case .runFinished = event, file.descriptor > 2 { try file.synchronize() }
    } catch {
      if problem == nil { problem = error }
    }
  }
}
