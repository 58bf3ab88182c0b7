// A run's numbers for TensorBoard: evaluations by iteration, trainings by step.

import JSON
import Runner
import System
import TensorBoard

/// `track: {tensorboard: {dir: …}}`: each run has a folder of its own there, EXPERIMENT/ID, by which TensorBoard tells runs apart. What
/// cannot be written costs the run nothing and is said once.
package final class TensorBoardTracker: RunObserver {
  private let folder: String
  private let run: WatchedRun
  private var file: EventFile?
  private var hasFailed = false
  private var numbers = TrackedNumbers()

  private init(_ run: WatchedRun, folder: String) {
    self.run = run
    self.folder = folder
  }

  @Sendable package static func kept(_ run: WatchedRun) -> (any RunObserver)? {
    guard let folder = run.tracking.tensorBoard else { return nil }
    let directory = run.directory.path
    return TensorBoardTracker(
      run, folder: "\(folder)/\(Path.name(Path.parent(directory)))/\(Path.name(directory))")
  }

  package func observe(_ event: RunEvent, in plan: Plan) {
    switch event {
    case .nodeFinished(let index, let record): attempt { try append(record, plan.nodes[index].address) }
    case .nodeCached(let index, let key):
      attempt {
        if let record = try run.store.unverifiedRecord(key) { try append(record, plan.nodes[index].address) }
      }
    default: break
    }
  }

  private func attempt(_ body: () throws -> Void) {
    guard !hasFailed else { return }
    do { try body() } catch {
      hasFailed = true
      RunSession.report(
        "warning: TensorBoard gets nothing more of this run: \(TerminalText.escaped("\(error)"))")
    }
  }

  private func append(_ record: NodeRecord, _ address: String) throws {
    for output in record.outputs where output.type == .metrics {
      let metrics = try JSON(parsing: try File.read(try run.store.readingPath(output)))
      let now = Timestamp.now().secondsSince1970
      let scalars = numbers.take(metrics, of: address).map { number in
        EventFile.Scalar(number.name, step: number.step, number.value, time: now)
      }
      if !scalars.isEmpty { try opened().append(scalars) }
    }
  }

  /// Made when there is something to write.
  private func opened() throws -> EventFile {
    if let file { return file }
    let file = try EventFile(folder: folder, host: RunDirectory.machine()["host"]?.stringValue ?? "host")
    self.file = file
    if let text = try? File.read("\(run.directory.path)/\(RunDirectory.experimentName)") {
      let indented = String(decoding: text, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false
      ).map { "    \($0)" }.joined(separator: "\n")
      try file.append(text: indented, tag: "experiment")
    }
    return file
  }
}
