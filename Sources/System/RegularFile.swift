// Opening a file to read it to its end, whatever stands under its name: what may have no end, or no beginning yet, is refused.

import Glibc

/// Something that is no regular file stands where a file is to be read.
package struct FileKindError: ErrorWithExitCode, Sendable, CustomStringConvertible {
  package let path: String
  /// With its article: `a directory`.
  package let kind: String
  package var exitCode: ExitCode { .input }
  package var description: String { "`\(path)` is \(kind); expected a regular file" }
}

extension File {
  /// Opens a regular file. Never waits, as opening a named pipe would, and opens no device, which some take as an order.
  /// - Throws: `FileKindError`, `SystemError`.
  package static func openToRead(_ path: String, _ flags: Int32 = 0) throws -> File {
    if flags & O_NOFOLLOW == 0, let kind = try FileStatus.orThrow(path).irregularKind {
      throw FileKindError(path: path, kind: kind)
    }
    let file = try open(path, O_RDONLY | O_NONBLOCK | flags)
    do {
      if let kind = try file.status().irregularKind { throw FileKindError(path: path, kind: kind) }
    } catch {
      file.closeQuietly()
      throw error
    }
    return file
  }

  /// As many bytes as the file has when it is opened: what is added meanwhile is not read.
  /// - Parameter limit: no more bytes than these are read.
  /// - Throws: `FileKindError`, `SystemError`.
  package static func read(_ path: String, upTo limit: Int = .max) throws -> [UInt8] {
    let file = try openToRead(path)
    defer { file.closeQuietly() }
    try File.attempt(.read, path)
    let size = min(max(0, try file.status().size), limit)
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      filled = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
  }

  /// A file that the kernel makes up, such as those in `/proc`, which have no size.
  package static func readKernelFile(_ path: String) throws -> [UInt8] {
    let file = try open(path, O_RDONLY | O_NONBLOCK)
    defer { file.closeQuietly() }
    var bytes: [UInt8] = []
    try file.readBlocks { bytes += $0 }
    return bytes
  }
}
