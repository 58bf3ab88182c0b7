// What a worker sends to its run: progress, measures, its end; and the request to stop that it receives.

import Glibc
import Synchronization
import System

/// Sends reports to the run and receives its request to stop.
final class WorkerReporter: StageReporter {
  private let stopRequested = Atomic<Bool>(false)
  private let state = Mutex(State())

  private struct State {
    var lastProgress: (time: Double, done: Int, total: Int)?
    var isClosed = false
  }

  var isStopRequested: Bool { stopRequested.load(ordering: .relaxed) }

  /// Turns SIGTERM and SIGINT into a request, and the death of the run into our own. Call before other threads start,
  /// since they inherit what is blocked here.
  func watch() throws {
    let signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
    try startThread { [self] in
      while true {
        var waits = [
          pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
          pollfd(fd: WorkerDescriptor.lifeline, events: Int16(POLLIN), revents: 0),
        ]
        if poll(&waits, 2, -1) < 0 { continue }
        while signals.next() != nil { stopRequested.store(true, ordering: .relaxed) }
        var byte: UInt8 = 0
        if waits[1].revents != 0, read(WorkerDescriptor.lifeline, &byte, 1) == 0 {
          // The run is gone: nobody will use what we do, and the lock must be free for the next one. Finished rows are
          // in the journal already. A run makes each worker the leader of a group of its own.
          if getpgrp() == getpid() { kill(0, SIGKILL) }
          _exit(ExitCode.stopped.rawValue)
        }
      }
    }
  }

  /// At most ten a second reach the run, and always the last of a series.
  func progress(
    done: Int, total: Int, unit: String, message: String?, values: [(name: String, value: Double)]
  ) {
    let now = monotonicSeconds()
    let isDue = state.withLock { state in
      if let last = state.lastProgress, now - last.time < 0.1, done < total || last.done == done {
        return false
      }
      state.lastProgress = (now, done, total)
      return true
    }
    guard isDue else { return }
    send(
      .progress(
        NodeProgress(
          done: done, total: total, unit: unit, message: message, values: NodeProgress.Value.kept(values))))
  }

  func progress(done: Int, total: Int, unit: String, message: String?) {
    progress(done: done, total: total, unit: unit, message: message, values: [])
  }

  func log(_ line: String) {
    var text = line + "\n"
    _ = text.withUTF8 { writeEverything($0, to: 2) }
  }

  func measure(_ name: String, _ value: Double) {
    if value.isFinite { send(.measure(name: name, value: value)) } else { log("\(name) is \(value)") }
  }

  func reportPeakMemory() {
    if let kibibytes = peakMemoryKibibytes() { measure("peak_memory_mib", Double(kibibytes) / 1024) }
  }

  func send(_ event: WorkerEvent) {
    var text = event.json.text() + "\n"
    state.withLock { state in
      if !state.isClosed {
        state.isClosed = !text.withUTF8 { writeEverything($0, to: WorkerDescriptor.events) }
      }
    }
  }

  private func writeEverything(_ bytes: UnsafeBufferPointer<UInt8>, to descriptor: Int32) -> Bool {
    var offset = 0
    while offset < bytes.count {
      let count = write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return false }
      offset += count
    }
    return true
  }
}

/// The most memory this program had. What `getrusage` gives began with the process that started it, which may be larger; it is
/// taken only where the kernel does not say better.
private func peakMemoryKibibytes() -> Int? {
  let status = (try? File.readKernelFile("/proc/self/status")) ?? []
  for line in status.split(separator: 0x0A) where line.starts(with: "VmHWM:".utf8) {
    let digits = line.drop { !(0x30...0x39).contains($0) }.prefix { (0x30...0x39).contains($0) }
    if let number = Int(String(decoding: digits, as: UTF8.self)) { return number }
  }
  var usage = rusage()
  return getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 ? Int(usage.ru_maxrss) : nil
}
