// A system call that failed.

import Glibc

/// A system call that failed: which, on what, why, and how many bytes it was to write.
package struct SystemError: ErrorWithExitCode, Sendable, CustomStringConvertible {
  package let operation: String
  package let path: String
  package let code: Int32
  /// For a write: how many bytes were to be written.
  package let bytes: Int?

  package init(_ operation: String, _ path: String, code: Int32, bytes: Int? = nil) {
    self.operation = operation
    self.path = path
    self.code = code
    self.bytes = bytes
  }

  /// Whether the machine is to blame (disk full, quota, medium, permission, descriptors) rather than the path.
  package var isMachineFault: Bool {
    [ENOSPC, EDQUOT, EIO, EACCES, EPERM, EROFS, EMFILE, ENFILE, ENOMEM, EXDEV].contains(code)
  }

  /// Whether the place may only be read.
  package var isDenied: Bool { [EACCES, EPERM, EROFS].contains(code) }

  /// Whether it was to make or change something, and so failed in a place that was given for that.
  package var changesTheDisk: Bool { operation != "open" && operation != "read" && operation != "list" }

  package var exitCode: ExitCode { isMachineFault || changesTheDisk ? .machine : .stageFailed }

  package var description: String {
    var text = "cannot \(operation) `\(path)`"
    if let bytes { text += " (\(bytes) bytes)" }
    text += ": \(String(cString: strerror(code)).lowercased())"
    switch code {
    case ENOSPC, EDQUOT: text += "; free some space and run again: finished work is kept"
    case EACCES, EPERM, EROFS: if changesTheDisk { text += "; `--store DIR` puts the store elsewhere" }
    default: break
    }
    return text
  }
}
