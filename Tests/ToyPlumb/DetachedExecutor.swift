// An executor whose jobs live on when their run dies, as those of a cluster do: each a process of its own that reports into files.

import Glibc
import Runner
import System

/// A job is a shell that runs the worker and then writes how it ended. Beside the task's file: `.events`, `.log`, `.input` (a pipe
/// that never ends, in place of the run's lifeline), `.exit` once it has ended, and `.preempted` if a test says that it was.
final class DetachedExecutor: Executor {
  static let name = "detached"
  static let outlivesRun = true

  private struct Followed {
    let process: ChildProcess
    /// In clock ticks since the machine started: with it the process is no other of the same number.
    let start: String
    let task: String
    var reports: WorkerReports
    var eventsRead = 0
    var logRead = 0
  }
  private var followed: [JobHandle: Followed] = [:]

  init() {}

  func submit(_ job: Job) throws -> JobHandle {
    let task = job.taskPath
    for suffix in ["events", "log", "input", "exit", "preempted"] { try File.remove("\(task).\(suffix)") }
    guard mkfifo("\(task).input", 0o600) == 0 else {
      throw SystemError("create", "\(task).input", code: errno)
    }
    let input = try File.open("\(task).input", O_RDWR)
    let log = try File.open("\(task).log", O_WRONLY | O_CREAT | O_APPEND)
    let events = try File.open("\(task).events", O_WRONLY | O_CREAT | O_APPEND)
    defer { for file in [input, log, events] { file.closeQuietly() } }
    let script = "trap : TERM; \"$0\" worker \"$1\"; echo $? >\"$1.exit\""
    let process = try ChildProcess.start(
      "/bin/sh", arguments: ["-c", script, try ChildProcess.ownExecutable(), Path.absolute(task)],
      environment: WorkerEnvironment.of(job),
      descriptors: [
        input.descriptor, log.descriptor, log.descriptor, events.descriptor, job.lock?.file.descriptor,
      ])
    let start = DetachedExecutor.startTime(process.processID) ?? "0"
    let handle = JobHandle("\(process.processID) \(start)")
    followed[handle] = Followed(process: process, start: start, task: task, reports: WorkerReports(job))
    return handle
  }

  func adopt(_ handle: JobHandle, _ job: Job) throws -> Bool {
    let words = handle.text.split(separator: " ").map(String.init)
    guard words.count == 2, let number = pid_t(words[0]), FileStatus.of("\(job.taskPath).events") != nil
    else {
      return false
    }
    followed[handle] = Followed(
      process: ChildProcess(processID: number), start: words[1], task: job.taskPath,
      reports: WorkerReports(job))
    return true
  }

  func poll(_ handles: [JobHandle]) throws -> [JobHandle: JobReport] {
    var result: [JobHandle: JobReport] = [:]
    for handle in handles {
      guard var job = followed[handle] else { continue }
      // Before its files are read, so that none of its last words is missed.
      let end = try end(of: job)
      job.reports.take(events: try DetachedExecutor.read("\(job.task).events", from: &job.eventsRead))
      job.reports.take(log: try DetachedExecutor.read("\(job.task).log", from: &job.logRead))
      var report = job.reports.report
      if let end {
        job.reports.finishLog()
        report.end = end(job.reports)
      }
      followed[handle] = job
      result[handle] = report
    }
    return result
  }

  /// What its reports come to, once it has ended.
  private func end(of job: Followed) throws -> ((WorkerReports) -> JobEnd)? {
    if FileStatus.of("\(job.task).exit") != nil, let status = status(of: job) {
      _ = job.process.ending()
      return { reports in
        reports.end(isClean: status == 0)
          ?? .failed(JobFailure(.stageFailed, "its worker ended with status \(status)", showsLog: true))
      }
    }
    let ended = job.process.ending()
    guard
      ended != nil && ended != .exited(127) || DetachedExecutor.startTime(job.process.processID) != job.start
    else { return nil }
    // It may have ended in the ordinary way between the two looks.
    if status(of: job) != nil { return nil }
    let isPreempted = FileStatus.of("\(job.task).preempted") != nil
    return { _ in
      isPreempted ? .preempted("its place was given to another") : .lost("the job vanished without a result")
    }
  }

  private func status(of job: Followed) -> Int? {
    (try? File.read("\(job.task).exit")).flatMap { bytes in
      bytes.last == 0x0A ? Int(String(decoding: bytes.dropLast(), as: UTF8.self)) : nil
    }
  }

  func logs(of handle: JobHandle) -> [UInt8] { followed[handle]?.reports.takeLog() ?? [] }

  func cancel(_ handle: JobHandle, _ how: Cancellation) {
    followed[handle]?.process.sendToGroup(how == .stop ? SIGTERM : SIGKILL)
  }

  func waits(for handles: [JobHandle]) -> JobWaits { JobWaits(milliseconds: 20) }

  private static func read(_ path: String, from offset: inout Int) throws -> [UInt8] {
    let bytes = try File.read(path)
    defer { offset = max(offset, bytes.count) }
    return Array(bytes.dropFirst(offset))
  }

  /// Nil when there is no such process, or only what is left of one that ended.
  private static func startTime(_ process: pid_t) -> String? {
    guard let text = try? File.readKernelFile("/proc/\(process)/stat"),
      let end = text.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let fields = String(decoding: text[(end + 1)...], as: UTF8.self).split(separator: " ")
    guard fields.count > 19, fields[0] != "Z" else { return nil }
    return String(fields[19])
  }
}
