// Where workers run: all that a run knows of the machine, cluster or service that computes for it.

import System

/// One worker's work, as an executor is given it.
package struct Job: Sendable {
  /// The `WorkerTask`, as a file. An executor may keep files of its own beside it, under names that begin with the file's.
  package let taskPath: String
  /// Variables of the run's environment that the worker is given beside the usual ones.
  package let environment: [String]
  /// Variables whose values nobody is to see; given too.
  package let secrets: [String]
  /// The devices that it may see; nil for all.
  package let gpus: [String]?
  /// The node's lock, which the worker holds for as long as it lives. Nil where nothing is kept.
  package let lock: NodeLock?

  package init(
    taskPath: String, environment: [String] = [], secrets: [String] = [], gpus: [String]? = nil,
    lock: NodeLock? = nil
  ) {
    self.taskPath = taskPath
    self.environment = environment
    self.secrets = secrets
    self.gpus = gpus
    self.lock = lock
  }
}

/// Names a submitted job for as long as its executor knows it, also to another process.
package struct JobHandle: Hashable, Sendable {
  package let text: String
  package init(_ text: String) { self.text = text }
}

/// How a job ended.
package enum JobEnd: Sendable {
  case done([StoredOutput])
  /// At a point from which it goes on, as it was asked to.
  case stopped
  case failed(JobFailure)
  /// Nobody can say what became of it.
  case lost(String)
  /// Taken off the machine by whoever rules there, through no fault of its own.
  case preempted(String)
}

/// Why an attempt at a node failed.
package struct JobFailure: Sendable {
  package let code: ExitCode
  package let message: String
  /// Whether the end of its log explains more.
  package let showsLog: Bool
  /// Whether the kernel may have killed it for want of memory.
  package let mayBeMemory: Bool
  /// Whether the worker reported it itself, rather than that something was seen of its end.
  package let isReported: Bool

  package init(
    _ code: ExitCode, _ message: String, showsLog: Bool, mayBeMemory: Bool = false, isReported: Bool = false
  ) {
    self.code = code
    self.message = message
    self.showsLog = showsLog
    self.mayBeMemory = mayBeMemory
    self.isReported = isReported
  }
}

/// What is known of a job.
package struct JobReport: Sendable {
  package var progress: NodeProgress?
  package var measures: [(name: String, value: Double)] = []
  /// Nil while it runs. A job that has ended is known no more after the report of its end.
  package var end: JobEnd?
  /// Others of its process group outlived it and were killed.
  package var hasLeftProcesses = false

  package init() {}
}

/// How a job is asked to end.
package enum Cancellation: Sendable {
  /// At the next point from which it can go on.
  case stop
  /// Now, with all that it started.
  case kill
}

/// Used from one thread.
package protocol Executor: AnyObject, SendableMetatype {
  /// After `--executor`.
  static var name: String { get }
  /// Whether its jobs live on when the run that submitted them dies. Their handles are then kept with the store, and a later run
  /// adopts them.
  static var outlivesRun: Bool { get }

  init()

  /// Starts a worker.
  /// - Throws: `SystemError`, `RunError`.
  func submit(_ job: Job) throws -> JobHandle

  /// Takes over what another process submitted.
  /// - Returns: false where it is not known any more.
  func adopt(_ handle: JobHandle, _ job: Job) throws -> Bool

  /// Of all these jobs, in one question to whatever runs them.
  func poll(_ handles: [JobHandle]) throws -> [JobHandle: JobReport]

  /// What a job has printed since it was asked last, without the values of secrets. Asked after each `poll`.
  func logs(of handle: JobHandle) throws -> [UInt8]

  func cancel(_ handle: JobHandle, _ how: Cancellation)

  /// How a run waits for news of these jobs.
  func waits(for handles: [JobHandle]) -> JobWaits
}

/// What a run waits on for news of jobs.
package struct JobWaits: Sendable {
  /// Readable once a job has reported something.
  package let reports: [Int32]
  /// Readable once a job has ended.
  package let ends: [Int32]
  /// How long it waits at most.
  package let milliseconds: Int32

  package init(reports: [Int32] = [], ends: [Int32] = [], milliseconds: Int32) {
    self.reports = reports
    self.ends = ends
    self.milliseconds = milliseconds
  }
}

/// By the names that `--executor` takes; the first is the default.
package let executors: [any Executor.Type] = [LocalExecutor.self]
