// One worker process as the run sees it: its pipes, what it has said, how it ended.

import Glibc
import JSON
import System

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
  private var logFilter: SecretFilter
  private let memoryKillsBefore = Machine.memoryKills()
  private var memoryKillsAfter: Int?
  /// Something of its process group outlived it.
  private(set) var hasLeftProcesses = false

  /// `environment`: variables of ours it is given beside the usual ones; `secrets`: those whose values
  /// nobody is to see. `gpus`: the devices it may see; nil says nothing.
  init(
    taskPath: String, shard: Shard? = nil, lock: NodeLock? = nil,
    environment: [String] = [], secrets: [String] = [], gpus: [String]? = nil
  ) throws {
    let events = try Pipe()
    let log = try Pipe()
    let life = try Pipe()
    defer { for end in [events.writing, log.writing, life.reading] { close(end) } }
    do {
      process = try ChildProcess.start(
        ChildProcess.ownProgram, named: ChildProcess.ownExecutable(), arguments: ["worker", taskPath],
        environment: RunningWorker.environment(environment + secrets, gpus),
        descriptors: [life.reading, log.writing, log.writing, events.writing, lock?.file.descriptor])
    } catch {
      for end in [events.reading, log.reading, life.writing] { close(end) }
      throw error
    }
    self.shard = shard
    logFilter = SecretFilter(secrets, handed: environment)
    eventDescriptor = events.reading
    logDescriptor = log.reading
    lifeline = life.writing
    for end in [eventDescriptor, logDescriptor] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
  }

  /// A crash report in a log needs no registers, images or colour.
  private static func environment(_ more: [String], _ gpus: [String]?) -> [(name: String, value: String)] {
    var chosen = ChildProcess.chosenEnvironment(
      ChildProcess.workerVariables + more.filter { !ChildProcess.workerVariables.contains($0) })
    if let gpus {
      chosen.removeAll { $0.name == "CUDA_VISIBLE_DEVICES" }
      chosen.append(("CUDA_VISIBLE_DEVICES", gpus.joined(separator: ",")))
    }
    if !chosen.contains(where: { $0.name == "SWIFT_BACKTRACE" }) {
      chosen.append(
        (
          "SWIFT_BACKTRACE",
          "color=no,registers=none,images=none,threads=crashed,interactive=no,limit=16" + backtracer
        ))
    }
    return chosen
  }

  /// A program with Swift's libraries inside does not find what prints a crash; it is beside the `swift` on PATH, if that is there.
  private static let backtracer: String = {
    if let library = dlopen("libswiftCore.so", RTLD_LAZY | RTLD_NOLOAD) {
      dlclose(library)
      return ""
    }
    let folders = getenv("PATH").map { String(cString: $0) } ?? ""
    for folder in folders.split(separator: ":") {
      guard let found = realpath("\(folder)/swift", nil) else { continue }
      defer { free(found) }
      let usr = Path.parent(Path.parent(String(cString: found)))
      let program = "\(usr)/libexec/swift/linux/swift-backtrace"
      if access(program, X_OK) == 0 { return ",enable=yes,swift-backtrace=\(program)" }
    }
    return ""
  }()

  /// Takes what the pipes hold. `onLog` gets raw bytes.
  func drain(onLog: (ArraySlice<UInt8>) throws -> Void) rethrows {
    RunningWorker.readAvailable(&eventDescriptor) { eventBytes.append(contentsOf: $0) }
    while let newline = eventBytes.firstIndex(of: 0x0A) {
      if let event = WorkerEvent(line: Array(eventBytes[..<newline])) { take(event) }
      eventBytes.removeSubrange(...newline)
    }
    var log: [UInt8] = []
    RunningWorker.readAvailable(&logDescriptor) { log.append(contentsOf: $0) }
    let shown = logFilter.filtered(log)
    if !shown.isEmpty { try onLog(shown[...]) }
  }

  private func take(_ event: WorkerEvent) {
    switch event {
    case .progress(let done, let total, let unit, let message):
      progress = NodeProgress(
        done: done, total: total, unit: unit, message: message.map { logFilter.filtered($0) })
    case .measure(let name, let value):
      measures.removeAll { $0.name == name }
      measures.append((name, value))
    case .failed(let code, let message): verdict = .failed(code, message: logFilter.filtered(message))
    case .done, .stopped: verdict = event
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
    memoryKillsAfter = Machine.memoryKills()
    hasLeftProcesses = process.sendToGroup(SIGKILL)
    try drain(onLog: onLog)
    let rest = logFilter.rest()
    if !rest.isEmpty { try onLog(rest[...]) }
    for descriptor in [eventDescriptor, logDescriptor, lifeline] where descriptor >= 0 { close(descriptor) }
    eventDescriptor = -1
    logDescriptor = -1
    return true
  }

  enum Outcome {
    case done([StoredOutput])
    case stopped
    case failed(NodeFailure)
  }

  /// Once it has ended.
  var outcome: Outcome {
    switch (ending, verdict) {
    case (.exited(0), .done(let outputs)): return .done(outputs)
    case (_, .stopped): return .stopped
    case (_, .failed(let code, let message)):
      return .failed(NodeFailure(code, message, showsLog: code == .stageFailed || code == .bug))
    case (.signalled(let number), _):
      var message = "its worker was killed by \(signalName(number))"
      if number == SIGKILL {
        let isMemory = memoryKillsBefore.flatMap { before in memoryKillsAfter.map { $0 > before } }
        switch isMemory {
        case true?: message += ": memory ran out"
        case false?: message += " from outside (the kernel killed nothing for lack of memory)"
        case nil: message += " (from outside, or by the kernel when memory ran out)"
        }
        return .failed(
          NodeFailure(.stageFailed, message, showsLog: true, mayBeMemory: isMemory ?? true))
      }
      return .failed(NodeFailure(.stageFailed, message, showsLog: true))
    case (.exited(let status), _):
      return .failed(
        NodeFailure(
          .stageFailed, "its worker ended with status \(status) and no error message", showsLog: true))
    case (nil, _): preconditionFailure("the worker \(process.processID) still runs")
    }
  }
}

/// Why an attempt at a node failed.
struct NodeFailure {
  let code: ExitCode
  let message: String
  /// Whether the end of its log tells more.
  let showsLog: Bool
  /// Whether the kernel may have killed it for want of memory.
  let mayBeMemory: Bool

  init(_ code: ExitCode, _ message: String, showsLog: Bool, mayBeMemory: Bool = false) {
    self.code = code
    self.message = message
    self.showsLog = showsLog
    self.mayBeMemory = mayBeMemory
  }
}
