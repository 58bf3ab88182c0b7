// How much room a file system has.

import Glibc

extension File {
  /// Bytes that we may write where this folder is.
  package static func freeBytes(at folder: String) throws -> Int {
    var disk = statvfs()
    guard statvfs(folder, &disk) == 0 else { throw SystemError("get the free space of", folder, code: errno) }
    let (free, overflows) = Int(clamping: disk.f_bavail).multipliedReportingOverflow(
      by: Int(clamping: disk.f_frsize))
    return overflows ? Int.max : free
  }
}
