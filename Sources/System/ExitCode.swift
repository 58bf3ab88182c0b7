// Exit codes, and what an error says of its own.

import Glibc

/// What the process ends with; the words of the reference are in the comments.
package enum ExitCode: Int32, Sendable {
  case done = 0
  case stageFailed = 1
  case commandLine = 2
  /// The experiment is wrong; nothing was run.
  case experiment = 3
  /// An input file (data, model, tokenizer) is wrong.
  case input = 4
  /// The store is damaged or newer.
  case store = 5
  /// Disk full, memory, permission.
  case machine = 6
  /// A remote service refused or stayed down.
  case remote = 7
  /// Still locked by another run when `--wait` expired.
  case locked = 8
  /// An executor lost or killed a job; a local worker's death is `stageFailed`.
  case lost = 10
  /// There is something to run first: `plan --check`, and `samples` of a stage that has not run.
  case workFound = 11
  /// An `expect` of the experiment does not hold; everything has run.
  case unexpected = 12
  /// `verify` computed other bytes than the stored ones.
  case different = 13
  case bug = 70
  /// Stopped at a checkpoint: run again.
  case stopped = 75
  case interrupted = 130
  case terminated = 143
}

/// An error that knows how the process is to end; modules above this one give their own errors a code by it.
package protocol ErrorWithExitCode: Error {
  var exitCode: ExitCode { get }
}

package struct RunError: ErrorWithExitCode, Sendable, CustomStringConvertible {
  package let exitCode: ExitCode
  package let description: String
  package init(_ exitCode: ExitCode, _ description: String) {
    self.exitCode = exitCode
    self.description = description
  }

  package static func stopped(by signal: Int32) -> RunError {
    RunError(signal == SIGINT ? .interrupted : .terminated, "stopped by \(signalName(signal))")
  }
}

extension ExitCode {
  /// Of what a stage threw: an error that says nothing of its exit code is the stage's failure.
  package init(for error: any Error) { self = ExitCode(known: error) ?? .stageFailed }

  /// Of what no stage threw: an error that says nothing of its exit code is a bug of ours.
  package init(forOwn error: any Error) { self = ExitCode(known: error) ?? .bug }

  private init?(known error: any Error) {
    switch error {
    case let error as any ErrorWithExitCode: self = error.exitCode
    case is CancellationError: self = .stopped
    default: return nil
    }
  }
}
