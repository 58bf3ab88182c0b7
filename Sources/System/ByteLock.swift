// Locks on single bytes of a file, which the kernel frees when whoever holds them is gone: as many locks as one likes in one file.

import Glibc

/// They belong to the open file description, so that two of one process exclude each other just as two processes do.
extension File {
  /// Waits for nothing: false when another open file description holds the byte. The byte need not be there.
  package func tryLock(byte: Int64) throws -> Bool {
    while true {
      if byteLock(.set, byte, F_WRLCK) != nil { return true }
      if errno == EAGAIN || errno == EACCES { return false }
      if errno != EINTR { throw SystemError("lock", path, code: errno) }
    }
  }

  /// Waits until the byte is had.
  package func waitForLock(byte: Int64) throws {
    while byteLock(.wait, byte, F_WRLCK) == nil {
      if errno != EINTR { throw SystemError("lock", path, code: errno) }
    }
  }

  package func unlock(byte: Int64) { _ = byteLock(.set, byte, F_UNLCK) }

  /// Whether another open file description holds the byte.
  package func isLockedElsewhere(byte: Int64) -> Bool {
    guard let found = byteLock(.get, byte, F_WRLCK) else { return false }
    return Int32(found.l_type) != F_UNLCK
  }

  /// `F_OFD_GETLK` and its like, which the C library hides from Swift.
  private enum ByteLockCommand: Int32 {
    case get = 36
    case set = 37
    case wait = 38
  }

  private func byteLock(_ command: ByteLockCommand, _ byte: Int64, _ kind: Int32) -> flock? {
    var lock = flock()
    lock.l_type = Int16(kind)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_start = off_t(byte)
    lock.l_len = 1
    return fcntl(descriptor, command.rawValue, &lock) == 0 ? lock : nil
  }
}
