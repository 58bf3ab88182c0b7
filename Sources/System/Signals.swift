// Signals as something that is read from a descriptor, never handled in the middle of anything.

import Glibc

/// Blocks the given signals in this thread and, by inheritance, in every thread it starts later (so make it before any),
/// and collects them: a thread waits for them and writes each one's number to a pipe.
package struct SignalDescriptor: Sendable {
  /// Readable when a signal has come.
  package let descriptor: Int32

  package init(_ signals: [Int32]) throws {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
    let pipe = try Pipe()
    for end in [pipe.reading, pipe.writing] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    descriptor = pipe.reading
    let waited = set
    try startThread {
      var set = waited
      while true {
        var signal: Int32 = 0
        guard sigwait(&set, &signal) == 0 else { continue }
        var byte = UInt8(truncatingIfNeeded: signal)
        // A full pipe holds enough signals already.
        _ = write(pipe.writing, &byte, 1)
      }
    }
  }

  /// Waits until a signal has come or the time is over; the signal, if one came.
  package func next(within milliseconds: Int32 = -1) throws -> Int32? {
    try wait(or: [], within: milliseconds)
    return next()
  }

  /// Waits until a signal has come, one of these descriptors can be read, or the time is over.
  package func wait(or descriptors: [Int32], within milliseconds: Int32) throws {
    var waits = ([descriptor] + descriptors).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    if poll(&waits, nfds_t(waits.count), milliseconds) < 0, errno != EINTR {
      throw SystemError("wait for", "a signal or a process", code: errno)
    }
  }

  /// The next signal that has come, nil when there is none.
  package func next() -> Int32? {
    var byte: UInt8 = 0
    return read(descriptor, &byte, 1) == 1 ? Int32(byte) : nil
  }
}

/// A closed pipe is an error to be returned, not a death.
package func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

/// Names of signals as people know them.
package func signalName(_ number: Int32) -> String {
  switch number {
  case SIGKILL: "SIGKILL"
  case SIGTERM: "SIGTERM"
  case SIGINT: "SIGINT"
  case SIGSEGV: "SIGSEGV"
  case SIGBUS: "SIGBUS"
  case SIGILL: "SIGILL"
  case SIGTRAP: "SIGTRAP"
  case SIGABRT: "SIGABRT"
  case SIGFPE: "SIGFPE"
  case SIGHUP: "SIGHUP"
  case SIGPIPE: "SIGPIPE"
  default: "signal \(number)"
  }
}
