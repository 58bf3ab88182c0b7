// How a plan is to be run, and what came of it.

import System

package struct ExecutionOptions: Sendable {
  package var threads = processorCount()
  package var machine = Machine.current()
  /// The most nodes at once.
  package var jobs = 8
  /// After a failure what does not depend on it goes on; otherwise all else is stopped.
  package var keepsGoing = false
  package var selection = Selection()
  /// A folder for the stages' logs.
  package var logDirectory: String
  /// How this run calls itself to others that wait for it.
  package var holder: LockHolder
  /// Nil waits for ever for nodes that other runs compute.
  package var lockWaitSeconds: Double?
  /// Run nothing but what brings these nodes' evicted bytes back; they must be finished.
  package var bytesOf: [Int]?
  /// The command that runs the node at an address alone; shown where one fails.
  package var reproducing: (@Sendable (_ address: String) -> String)?

  package init(logDirectory: String, holder: LockHolder) {
    self.logDirectory = logDirectory
    self.holder = holder
  }
}

package struct ExecutionResult: Sendable {
  package let exitCode: ExitCode
  package let records: [Int: NodeRecord]
  package let executed: Int
  package let cached: Int
  package let skipped: Set<Int>
}
