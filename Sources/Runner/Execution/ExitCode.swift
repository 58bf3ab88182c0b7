// Exit codes, and the one place that says which error ends with which.

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
  /// There is something to run first: `plan --check`, and `samples` of a stage that has not run.
  case workFound = 11
  /// An `expect` of the experiment does not hold; everything has run.
  case unexpected = 12
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
}

extension ExitCode {
  package init(for error: any Error) {
    self =
      switch error {
      case let error as any ErrorWithExitCode: error.exitCode
      case is InputError: .input
      case is StoreError: .store
      case is EvictedError: .workFound
      case let error as SystemError: error.isMachineFault || error.changesTheDisk ? .machine : .stageFailed
      case is CancellationError: .stopped
      default: .stageFailed
      }
  }
}
