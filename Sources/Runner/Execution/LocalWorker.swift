// One worker process of the local executor: its pipes, what it reported, how it ended.

import Glibc
import JSON
import System

final class LocalWorker {
  let process: ChildProcess
  private(set) var reports: WorkerReports
  private var ending: ChildProcess.Ending?

  /// -1 once closed.
  private var eventDescriptor: Int32
  private var logDescriptor: Int32
  private let lifeline: Int32
  /// Readable once the process has ended; nil where that cannot be had, and after it.
  private(set) var endDescriptor: Int32?
  private let memoryKillsBefore = Machine.memoryKills()
  private var memoryKillsAfter: Int?
  private var hasLeftProcesses = false

  init(_ job: Job) throws {
    let events = try Pipe()
    let log = try Pipe()
    let life = try Pipe()
    defer { for end in [events.writing, log.writing, life.reading] { close(end) } }
    do {
      process = try ChildProcess.start(
        ChildProcess.ownProgram, named: ChildProcess.ownExecutable(), arguments: ["worker", job.taskPath],
        environment: WorkerEnvironment.of(job),
        descriptors: [life.reading, log.writing, log.writing, events.writing, job.lock?.file.descriptor])
    } catch {
      for end in [events.reading, log.reading, life.writing] { close(end) }
      throw error
    }
    reports = WorkerReports(job)
    eventDescriptor = events.reading
    logDescriptor = log.reading
    lifeline = life.writing
    endDescriptor = process.endDescriptor()
    for end in [eventDescriptor, logDescriptor] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
  }

  /// Those of its pipes that are open.
  var pipes: [Int32] { [eventDescriptor, logDescriptor].filter { $0 >= 0 } }

  /// What is known of it now.
  func poll() -> JobReport {
    drain()
    if ending == nil, let found = process.ending() {
      ending = found
      memoryKillsAfter = Machine.memoryKills()
      // Whatever it left behind in its process group is ended too.
      hasLeftProcesses = process.sendToGroup(SIGKILL)
      drain()
      reports.finishLog()
      for descriptor in pipes + [lifeline] { close(descriptor) }
      if let endDescriptor { close(endDescriptor) }
      endDescriptor = nil
      eventDescriptor = -1
      logDescriptor = -1
    }
    var report = reports.report
    report.end = ending.map(end)
    report.hasLeftProcesses = hasLeftProcesses
    return report
  }

  var hasEnded: Bool { ending != nil }

  func takeLog() -> [UInt8] { reports.takeLog() }

  private func drain() {
    LocalWorker.readAvailable(&eventDescriptor) { reports.take(events: $0) }
    var log: [UInt8] = []
    LocalWorker.readAvailable(&logDescriptor) { log.append(contentsOf: $0) }
    reports.take(log: log)
  }

  /// At most a mebibyte at a time, so that a worker that never stops printing cannot hold the run.
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

  private func end(_ ending: ChildProcess.Ending) -> JobEnd {
    if let end = reports.end(isClean: ending == .exited(0)) { return end }
    switch ending {
    case .signalled(let number):
      var message = "its worker was killed by \(signalName(number))"
      guard number == SIGKILL else { return .failed(JobFailure(.stageFailed, message, showsLog: true)) }
      let isMemory = memoryKillsBefore.flatMap { before in memoryKillsAfter.map { $0 > before } }
      switch isMemory {
      case true?: message += ": memory ran out"
      case false?: message += " from outside (the kernel killed nothing for lack of memory)"
      case nil: message += " (from outside, or by the kernel when memory ran out)"
      }
      return .failed(JobFailure(.stageFailed, message, showsLog: true, mayBeMemory: isMemory ?? true))
    case .exited(let status):
      return .failed(
        JobFailure(
          .stageFailed, "its worker ended with status \(status) and no error message", showsLog: true))
    }
  }
}
