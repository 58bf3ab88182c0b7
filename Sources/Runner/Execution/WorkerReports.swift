// What a worker reports while it works and what it prints, taken piece by piece from wherever its executor finds them.

import System

package struct WorkerReports {
  package private(set) var report = JobReport()
  /// `done`, `stopped` or `failed`, once it has reported one.
  private(set) var verdict: WorkerEvent?
  private var eventBytes: [UInt8] = []
  private var filter: SecretFilter
  private var log: [UInt8] = []

  package init(_ job: Job) { filter = SecretFilter(job.secrets, handed: job.environment) }

  /// Bytes of its events.
  package mutating func take(events bytes: some Sequence<UInt8>) {
    eventBytes.append(contentsOf: bytes)
    while let newline = eventBytes.firstIndex(of: 0x0A) {
      if let event = WorkerEvent(line: Array(eventBytes[..<newline])) { take(event) }
      eventBytes.removeSubrange(...newline)
    }
  }

  /// Bytes that it printed.
  package mutating func take(log bytes: [UInt8]) { log += filter.filtered(bytes) }

  /// Nothing more will come.
  package mutating func finishLog() { log += filter.rest() }

  /// What was printed since the last call, secrets taken out.
  package mutating func takeLog() -> [UInt8] {
    defer { log = [] }
    return log
  }

  private mutating func take(_ event: WorkerEvent) {
    switch event {
    case .progress(var progress):
      progress.message = progress.message.map { filter.filtered($0) }
      progress.values = progress.values.map { NodeProgress.Value(filter.filtered($0.name), $0.value) }
      report.progress = progress
    case .measure(let name, let value):
      report.measures.removeAll { $0.name == name }
      report.measures.append((name, value))
    case .failed(let code, let message): verdict = .failed(code, message: filter.filtered(message))
    case .done, .stopped: verdict = event
    }
  }

  /// The end that its verdict stands for. Nil without one; `done` counts only where `isClean`, when its process ended well.
  package func end(isClean: Bool) -> JobEnd? {
    switch verdict {
    case .done(let outputs)? where isClean: .done(outputs)
    case .stopped?: .stopped
    case .failed(let code, let message)?:
      .failed(
        JobFailure(code, message, showsLog: code == .stageFailed || code == .bug, isReported: true))
    default: nil
    }
  }
}
