// A fetch under way: where its bytes go, whom it tells, what stops it.

import Glibc
import System

package struct Fetch {
  /// On the file system where the model will lie. May hold what an earlier attempt left.
  package let folder: String
  /// Nil where signals end the process.
  let signals: SignalDescriptor?
  /// Gets a line that a person waiting wants to read.
  let note: (String) -> Void

  /// Waits before another attempt.
  /// - Throws: `RunError`: exit 130 or 143 when a signal came first.
  func pause(milliseconds: Int32) throws {
    guard let signals else {
      usleep(UInt32(milliseconds) * 1000)
      return
    }
    if let signal = try signals.next(within: milliseconds) { throw RunError.stopped(by: signal) }
  }
}
