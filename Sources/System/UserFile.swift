// Reading a file that a user named: a regular file, whole, unchanged while it was read.

import Glibc

/// A file that a user named and that cannot be read, for a reason that lies with the file. What the machine is to blame for
/// stays a `SystemError`, but for a permission that is missing.
package struct UserFileError: Error, Sendable {
  package enum Cause: Sendable {
    /// No regular file: with its article, `a directory`.
    case irregular(kind: String)
    /// A system call failed with this code.
    case refused(Int32)
    case changed
  }

  package let path: String
  package let cause: Cause

  package init(path: String, cause: Cause) {
    self.path = path
    self.cause = cause
  }

  /// What follows `path: ` in a message.
  package var reason: String {
    switch cause {
    case .irregular(let kind): "\(kind); expected a regular file"
    case .refused(let code): String(cString: strerror(code)).lowercased()
    case .changed: "the file changed while it was read; run again when it is complete"
    }
  }
}

extension File {
  /// - Parameter limit: no more bytes than these are read.
  /// - Throws: `UserFileError`; `SystemError` where the machine is to blame.
  package static func readUserFile(_ path: String, upTo limit: Int = .max) throws -> [UInt8] {
    do {
      let before = try FileStatus.orThrow(path)
      let bytes = try read(path, upTo: limit)
      guard try FileStatus.orThrow(path) == before, bytes.count == min(before.size, limit) else {
        throw UserFileError(path: path, cause: .changed)
      }
      return bytes
    } catch let error as FileKindError {
      throw UserFileError(path: path, cause: .irregular(kind: error.kind))
    } catch let error as SystemError where !error.isMachineFault || error.code == EACCES {
      throw UserFileError(path: path, cause: .refused(error.code))
    }
  }
}
