// The event log: every event as one line of `events.jsonl`, appended as it happens. The truth about a run.

import Glibc
import JSON
import System

package final class EventLog: RunObserver {
  private let file: File
  /// Lines of nodes that were found finished, not written yet: of a large plan there are thousands at once, and nobody waits
  /// for them.
  private var held = ""
  private var lastProgress: [Int: Double] = [:]
  /// The first write that failed; the run is told at its end.
  private var failure: (any Error)?

  /// Standard output may be given as descriptor 1.
  package init(_ file: File) { self.file = file }

  deinit { if file.descriptor > 2 { file.closeQuietly() } }

  /// `events.jsonl` of the run's directory.
  @Sendable static func kept(_ run: WatchedRun) throws -> (any RunObserver)? {
    try EventLog(path: run.directory.eventsPath)
  }

  /// The same on standard output.
  @Sendable static func streamed(_ run: WatchedRun) -> (any RunObserver)? {
    run.writesEvents ? EventLog(File(descriptor: 1, path: "standard output")) : nil
  }

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
    let time = (key: "time", value: JSON.string(Timestamp.now().text))
    held += JSON.object(JSONObject(distinct: [time] + event.json(in: plan).members)).text() + "\n"
    if case .nodeCached = event, held.utf8.count < 1 << 16 { return }
    write()
    if case .runFinished = event, file.descriptor > 2 { attempt { try file.synchronize() } }
  }

  package func tick() { write() }

  /// Nobody reads a closed standard output.
  package var problem: (any Error)? { file.descriptor > 2 ? failure : nil }

  private func write() {
    guard !held.isEmpty else { return }
    attempt { try file.writeAll(held) }
    held = ""
  }

  private func attempt(_ body: () throws -> Void) {
    do { try body() } catch { if failure == nil { failure = error } }
  }
}
