// The worker process: runs one stage, reports, and takes what it wrote into the store.

import Glibc
import JSON
import Synchronization
import System

/// The worker's end of the descriptors a run gives it.
package enum WorkerDescriptor {
  /// Closed by the kernel when the run dies.
  package static let lifeline: Int32 = 0
  package static let events: Int32 = 3
  /// The node's lock, held for as long as this process lives.
  package static let lock: Int32 = 4
}

/// Runs the task in the file and gives the process's exit status. Everything the run must know goes to descriptor 3
/// as well; what is printed is the log.
package func runWorker(taskPath: String, stages: [any Stage.Type]) -> Int32 {
  ignoreBrokenPipes()
  nameProcess()
  let reporter = WorkerReporter()
  var confinement: Confinement?
  var begun: WorkerTask?
  for descriptor in [WorkerDescriptor.events, WorkerDescriptor.lock] {
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }
  do {
    let task = try WorkerTask(path: taskPath)
    begun = task
    guard let stage = stages.first(where: { $0.declaration.name.utf8.elementsEqual(task.stage.utf8) }) else {
      throw RunError(.bug, "this executable has no stage `\(task.stage)`")
    }
    try File.makeDirectory(task.scratch)
    try File.makeDirectory(task.output)
    if task.shard == nil { try File.makeDirectory(task.checkpointDirectory) }
    let walls = Confinement(task)
    if walls.enforce() {
      confinement = walls
    } else {
      reporter.log(
        "this kernel has no Landlock: the stage is not prevented from writing outside its folders")
    }
    try reporter.watch()
    var inputs: [String: Artifact] = [:]
    var collections: [String: [Artifact]] = [:]
    for input in task.inputs {
      // Paths begin where the run does; the stage works elsewhere.
      let path = Path.absolute(input.path)
      if let label = input.label {
        collections[input.port, default: []].append(
          Artifact(type: input.type, path: path, label: label, columns: input.columns))
      } else {
        inputs[input.port] = Artifact(type: input.type, path: path, columns: input.columns)
      }
    }
    let context = StageContext(
      options: StageOptions(task.options), inputs: inputs, collections: collections, seed: task.seed,
      numericMode: task.numericMode,
      threads: task.threads, engine: task.engine, scratch: task.scratch,
      checkpointDirectory: task.checkpointDirectory, checkpointSeconds: task.checkpointSeconds,
      shard: task.shard,
      journalDirectory: task.journalDirectory, outputDirectory: task.output, reporter: reporter)
    guard chdir(task.scratch) == 0 else {
      throw SystemError("change the folder to", task.scratch, code: errno)
    }
    try stage.init().run(context)
    var outputs: [StoredOutput] = []
    if task.shard == nil {
      // Without a store nothing is kept: the outputs stay where they were written.
      let store = task.store.isEmpty ? nil : try Store(at: task.store)
      for port in stage.declaration(for: task.options).outputs {
        let path = context.output(port.name, port.type)
        guard FileStatus.of(path) != nil else {
          throw RunError(
            .stageFailed, "stage `\(task.stage)` ended without writing its output `\(port.name)`")
        }
        guard let store else { continue }
        let columns = try ColumnTable.of(
          port, inputs: task.inputs.map { ($0.port, $0.label ?? "", $0.columns) })
        outputs.append(try store.adopt(path, port: port.name, type: port.type).with(columns))
      }
    }
    reporter.reportPeakMemory()
    reporter.send(.done(outputs: outputs))
    return 0
  } catch is CancellationError where reporter.isStopRequested {
    reporter.send(.stopped)
    return ExitCode.stopped.rawValue
  } catch {
    let denial = confinement?.explanation(of: error)
    let isOwn = error is CancellationError || denial != nil
    let code = isOwn ? ExitCode.stageFailed : ExitCode(for: error)
    let problem =
      error is CancellationError
      ? "the stage cancelled itself without a request to stop" : denial ?? "\(error)"
    let message = begun?.named(problem) ?? problem
    reporter.log("error: \(message)")
    reporter.send(.failed(code, message: message))
    return code.rawValue
  }
}

/// Started by way of /proc, it would be called `exe` where processes are listed.
private func nameProcess() {
  guard let file = try? File.open("/proc/self/comm", O_WRONLY) else { return }
  try? file.writeAll(Program.name)
  file.closeQuietly()
}

/// Sends reports to the run and hears of a stop.
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
  func progress(done: Int, total: Int, unit: String, message: String?) {
    let now = monotonicSeconds()
    let isDue = state.withLock { state in
      if let last = state.lastProgress, now - last.time < 0.1, done < total || last.done == done {
        return false
      }
      state.lastProgress = (now, done, total)
      return true
    }
    if isDue { send(.progress(done: done, total: total, unit: unit, message: message)) }
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
