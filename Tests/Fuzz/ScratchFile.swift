// One file in memory that is written again and again.

import Glibc

final class ScratchFile: Sendable {
  let path: String
  private let descriptor: Int32

  init() {
    var template = Array("/dev/shm/plumb-fuzz-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    precondition(descriptor >= 0, "no file can be made in `/dev/shm`: errno \(errno)")
    unlink(template)
    path = "/proc/self/fd/\(descriptor)"
  }

  func write(_ bytes: [UInt8]) {
    precondition(ftruncate(descriptor, 0) == 0, "errno \(errno)")
    precondition(pwrite(descriptor, bytes, bytes.count, 0) == bytes.count, "errno \(errno)")
  }
}
