// One worker process as the run sees it: its pipes, what it has said, how it ended.

import Glibc
import JSON

final class RunningWorker {
  let process: ChildProcess
  let shard: Shard?
  private(set) var progress: NodeProgress?
  private(set) var measures: [(name: String, value: Double)] = []
  /// `done`, `stopped` or `failed`, once it has said so.
  private(set) var verdict: WorkerEvent?
  private(set) var ending: ChildProcess.Ending?

  /// -1 once closed.
  private(set) var eventDescriptor: Int32
  private(set) var logDescriptor: Int32
  private let lifeline: Int32
  private var eventBytes: [UInt8] = []

  init(executable: String, taskPath: String, shard: Shard?, lock: NodeLock) throws {
    let events = try Pipe()
    let log = try Pipe()
    let life = try Pipe()
    defer { for end in [events.writing, log.writing, life.reading] { close(end) } }
    do {
      process = try ChildProcess.start(
        executable, arguments: ["worker", taskPath],
        environment: RunningWorker.environment,
        descriptors: [life.reading, log.writing, log.writing, events.writing, lock.file.descriptor])
    } catch {
      for end in [events.reading, log.reading, life.writing] { close(end) }
      throw error
    }
    self.shard = shard
    eventDescriptor = events.reading
    logDescriptor = log.reading
    lifeline = life.writing
    for end in [eventDescriptor, logDescriptor] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
  }

  /// A crash report in a log needs no registers, images or colour.
  private static var environment: [(name: String, value: String)] {
    let chosen = ChildProcess.chosenEnvironment(ChildProcess.workerVariables)
    if chosen.contains(where: { $0.name == "SWIFT_BACKTRACE" }) { return chosen }
    return chosen + [
      ("SWIFT_BACKTRACE", "color=no,registers=none,images=none,threads=crashed,interactive=no,limit=16")
    ]
  }

  /// Takes what the pipes hold. `onLog` gets raw bytes.
  func drain(onLog: (ArraySlice<UInt8>) throws -> Void) rethrows {
    RunningWorker.readAvailable(&eventDescriptor) { eventBytes.append(contentsOf: $0) }
    while let newline = eventBytes.firstIndex(of: 0x0A) {
      if let event = WorkerEvent(line: Array(eventBytes[..<newline])) { take(event) }
      eventBytes.removeSubrange(...newline)
    }
    var log: [UInt8] = []
    RunningWorker.readAvailable(&logDescriptor) { log.append(contentsOf: $0) }
    if !log.isEmpty { try onLog(log[...]) }
  }

  private func take(_ event: WorkerEvent) {
    switch event {
    case .progress(let done, let total, let unit, let message):
      progress = NodeProgress(done: done, total: total, unit: unit, message: message)
    case .measure(let name, let value):
      measures.removeAll { $0.name == name }
      measures.append((name, value))
    case .done, .stopped, .failed: verdict = event
    }
  }

  /// At most a mebibyte at a time, so that a worker that never stops talking cannot hold the run.
  private static func readAvailable(_ descriptor: inout Int32, _ body: (ArraySlice<UInt8>) -> Void) {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    for _ in 0..<16 where descriptor >= 0 {
      let count = read(descriptor, &buffer, buffer.count)
      if count > 0 {
        body(buffer[..<count])
      } else if count < 0, errno == EINTR {
        continue
      } else if count < 0, errno == EAGAIN {
        return
      } else {
        close(descriptor)
        descriptor = -1
      }
    }
  }

  /// Whether it has ended; then whatever it left behind in its process group is ended too.
  func hasEnded(onLog: (ArraySlice<UInt8>) throws -> Void) rethrows -> Bool {
    if ending != nil { return true }
    guard let found = process.ending() else { return false }
    ending = found
    process.sendToGroup(SIGKILL)
    try drain(onLog: onLog)
    for descriptor in [eventDescriptor, logDescriptor, lifeline] where descriptor >= 0 { close(descriptor) }
    eventDescriptor = -1
    logDescriptor = -1
    return true
  }

  enum Outcome {
    case done([StoredOutput])
    case stopped
    case failed(ExitCode, message: String, showsLog: Bool)
  }

  /// Once it has ended.
  var outcome: Outcome {
    switch (ending, verdict) {
    case (.exited(0), .done(let outputs)): .done(outputs)
    case (_, .stopped): .stopped
    case (_, .failed(let code, let message)):
      .failed(code, message: message, showsLog: code == .stageFailed || code == .bug)
    case (.signalled(let number), _):
      .failed(
        .stageFailed,
        message: "its worker was killed by \(signalName(number))"
          + (number == SIGKILL ? " (by hand, or by the kernel when memory ran out)" : ""), showsLog: true)
    case (.exited(let status), _):
      .failed(.stageFailed, message: "its worker ended with status \(status) and no word", showsLog: true)
    case (nil, _): preconditionFailure("the worker \(process.processID) still runs")
    }
  }
}
