// Pipes between processes.

import Glibc

/// A pipe whose ends are `O_CLOEXEC`.
package struct Pipe {
  package let reading: Int32
  package let writing: Int32
  package init() throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw SystemError("make", "a pipe", code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    reading = ends[0]
    writing = ends[1]
  }
}
