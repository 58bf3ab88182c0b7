// Work on a thread of its own that somebody waits for, such as a checkpoint written beside the next step.

import Glibc

/// Begun when it is made; dropping it waits as well, but then nobody hears of an error. Where the system has no thread to give,
/// the work is done at once.
package struct BackgroundWork: ~Copyable {
  private let thread: pthread_t?
  private let work: Unmanaged<Work>

  /// The thread's until it was joined, ours afterwards.
  private final class Work {
    private let body: @Sendable () throws -> Void
    private(set) var error: (any Error)?

    init(_ body: @escaping @Sendable () throws -> Void) { self.body = body }

    func run() {
      do { try body() } catch { self.error = error }
    }
  }

  package init(_ body: @escaping @Sendable () throws -> Void) {
    work = .passRetained(Work(body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Work>.fromOpaque(argument).takeUnretainedValue().run() }
        return nil
      }, work.toOpaque())
    self.thread = code == 0 ? thread : nil
    if code != 0 { work.takeUnretainedValue().run() }
  }

  deinit {
    if let thread { pthread_join(thread, nil) }
    work.release()
  }

  /// - Throws: what the work threw.
  package consuming func wait() throws {
    if let thread { pthread_join(thread, nil) }
    let error = work.takeRetainedValue().error
    discard self
    if let error { throw error }
  }
}
