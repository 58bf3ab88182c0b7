// Writing a file so that its name appears only when all of its bytes are on the disk.

import Glibc

/// Writes `PATH.partial`, and gives it the name `PATH` when `finish` has made it durable. A writer dropped
/// before `finish` removes its partial file.
package final class FileWriter {
  package let path: String
  /// Bytes accepted so far.
  package private(set) var count = 0
  private let byteCount: Int?
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private static let bufferSize = 1 << 20

  private var partialPath: String { path + ".partial" }

  /// - Parameter byteCount: how long the file will be, where that is known, for what is said of a full disk.
  package init(_ path: String, byteCount: Int? = nil) throws {
    self.path = path
    self.byteCount = byteCount
    descriptor = open(path + ".partial", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileError("create", path, code: errno) }
    buffer.reserveCapacity(Self.bufferSize)
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      unlink(path + ".partial")
    }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    count += bytes.count
    if buffer.count + bytes.count <= Self.bufferSize {
      buffer.append(contentsOf: bytes)
      return
    }
    try flush()
    if bytes.count >= Self.bufferSize {
      try writeThrough(bytes)
    } else {
      buffer.append(contentsOf: bytes)
    }
  }

  package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

  package func write(_ text: String) throws {
    var text = text
    try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
  }

  /// Flushes, fsyncs, renames into place and fsyncs the directory.
  package func finish() throws {
    try flush()
    guard fsync(descriptor) == 0 else { throw unwritten(errno) }
    let closing = descriptor
    descriptor = -1
    guard close(closing) == 0 else {
      let code = errno
      unlink(partialPath)
      throw unwritten(code)
    }
    guard rename(partialPath, path) == 0 else {
      let code = errno
      unlink(partialPath)
      throw FileError("rename into place", path, code: code)
    }
    try syncDirectory(of: path)
  }

  private func unwritten(_ code: Int32) -> FileError {
    FileError("write", path, code: code, bytes: byteCount ?? count)
  }

  private func flush() throws {
    guard !buffer.isEmpty else { return }
    try buffer.withUnsafeBytes { try writeThrough($0) }
    buffer.removeAll(keepingCapacity: true)
  }

  private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let slice = UnsafeRawBufferPointer(rebasing: rest)
      let written = Glibc.write(descriptor, slice.baseAddress, slice.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw unwritten(errno)
      }
      rest = rest.dropFirst(written)
    }
  }
}

/// Makes the names in the directory that holds `path` durable.
package func syncDirectory(of path: String) throws {
  let directory: String
  if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) {
    directory = slash == path.startIndex ? "/" : String(path[..<slash])
  } else {
    directory = "."
  }
  let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { throw FileError("open", directory, code: errno) }
  defer { close(descriptor) }
  guard fsync(descriptor) == 0 else { throw FileError("write", directory, code: errno) }
}

/// Writes a whole text file the same way.
package func writeFile(_ path: String, _ text: String) throws {
  let writer = try FileWriter(path)
  try writer.write(text)
  try writer.finish()
}
