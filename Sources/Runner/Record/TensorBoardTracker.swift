// A run's numbers for TensorBoard: evaluations by iteration, trainings by step.

import JSON
import System
import TensorBoard

/// `track: {tensorboard: {dir: …}}`: each run has a folder of its own there, EXPERIMENT/ID, by which TensorBoard tells runs apart. What
/// cannot be written costs the run nothing and is said once.
package final class TensorBoardTracker: RunObserver {
  private let folder: String
  private let run: WatchedRun
  private var file: EventFile?
  private var hasFailed = false
  /// Steps of the earlier iterations of a training, by its address without iterations.
  private var steps: [UTF8Key: Int] = [:]

  private init(_ run: WatchedRun, folder: String) {
    self.run = run
    self.folder = folder
  }

  @Sendable static func kept(_ run: WatchedRun) -> (any RunObserver)? {
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
      let scalars = scalars(metrics, address)
      guard !scalars.isEmpty else { continue }
      try opened().append(scalars)
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
      )
      .map { "    \($0)" }.joined(separator: "\n")
      try file.append(text: indented, tag: "experiment")
    }
    return file
  }

  /// A number at its iteration, 0 where there is none; a list over steps, which go on from iteration to iteration.
  private func scalars(_ metrics: JSON, _ address: String) -> [EventFile.Scalar] {
    let family = PlanAddress.withoutIterations(address)
    let iteration = PlanAddress.iteration(address) ?? 0
    let first = steps[UTF8Key(family)] ?? 0
    let now = Timestamp.now().secondsSince1970
    var scalars: [EventFile.Scalar] = []
    var longest = 0
    for (name, value) in metrics.objectValue?.members ?? [] {
      let tag = "\(family)/\(name)"
      if let number = value.doubleValue {
        scalars.append(EventFile.Scalar(tag, step: iteration, number, time: now))
      }
      let series = value.arrayValue ?? []
      longest = max(longest, series.count)
      for (step, element) in series.enumerated() {
        guard let number = element.doubleValue else { continue }
        scalars.append(EventFile.Scalar(tag, step: first + step + 1, number, time: now))
      }
    }
    steps[UTF8Key(family)] = first + longest
    return scalars
  }
}
