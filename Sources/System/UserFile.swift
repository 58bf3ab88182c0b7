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
    let file = try UserFile(path)
    return try [UInt8](unsafeUninitializedCapacity: min(file.size, limit)) { buffer, filled in
      filled = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
  }
}

/// A file that a user named, read from its start to its end, block by block.
package final class UserFile {
  package let path: String
  /// As it was when the file was opened: what is added meanwhile is a change.
  package let size: Int
  private let file: File
  private let status: FileStatus
  private var position = 0

  /// - Throws: `UserFileError`; `SystemError` where the machine is to blame.
  package init(_ path: String) throws {
    self.path = path
    (file, status) = try UserFile.blaming(path) {
      let file = try File.openToRead(path)
      do {
        try File.attempt(.read, path)
        return (file, try file.status())
      } catch {
        file.closeQuietly()
        throw error
      }
    }
    size = max(0, status.size)
  }

  deinit { file.closeQuietly() }

  /// Fills the buffer, or what the rest of the file fills of it.
  /// - Returns: how many bytes were read; 0 at the end of the file.
  /// - Throws: as `init` does.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = min(buffer.count, size - position)
    try UserFile.blaming(path) {
      let got = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
      guard got == count, try file.status() == status, FileStatus.of(path) == status else {
        throw UserFileError(path: path, cause: .changed)
      }
    }
    position += count
    return count
  }

  private static func blaming<T>(_ path: String, _ body: () throws -> T) throws -> T {
    do {
      return try body()
    } catch let error as FileKindError {
      throw UserFileError(path: path, cause: .irregular(kind: error.kind))
    } catch let error as SystemError where !error.isMachineFault || error.code == EACCES {
      throw UserFileError(path: path, cause: .refused(error.code))
    }
  }
}
