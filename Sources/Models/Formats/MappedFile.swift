// A file mapped read-only into memory, and slices of it that cannot leave it.

import Glibc
import System

/// A regular file mapped read-only. The mapping lives as long as this object.
///
/// The length is taken once, when the file is opened. A file that another process shortens afterwards raises
/// SIGBUS when the lost part is touched, so model files are replaced by renaming, never rewritten in place.
package final class MappedFile: Sendable {
  package let path: String
  package let count: Int
  // SAFETY: the pages are mapped PROT_READ and never written through this pointer; unmapped once, in deinit.
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer?

  /// - Throws: `FileError` when the file cannot be opened; `FormatError` when it is not a regular file.
  package init(_ path: String) throws {
    guard !path.utf8.contains(0) else { throw FormatError(path: path, "the path contains a zero byte") }
    // Looked at before it is opened, which some devices take as an order; O_NONBLOCK: opening a FIFO must not wait for a writer.
    var status = stat()
    guard stat(path, &status) == 0 else { throw FormatError.unreadable("open", path, code: errno) }
    try MappedFile.checkKind(status, path)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FormatError.unreadable("open", path, code: errno) }
    defer { close(descriptor) }
    guard fstat(descriptor, &status) == 0 else { throw FormatError.unreadable("read", path, code: errno) }
    try MappedFile.checkKind(status, path)
    guard let size = Int(exactly: status.st_size), size >= 0 else {
      throw FormatError(path: path, "the file's size is out of range")
    }
    var mapping: UnsafeMutableRawPointer?
    if size > 0 {
      mapping = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
      guard mapping != MAP_FAILED else { throw FormatError.unreadable("map", path, code: errno) }
    }
    self.path = path
    count = size
    base = mapping
  }

  private static func checkKind(_ status: stat, _ path: String) throws {
    let kind: String
    switch status.st_mode & S_IFMT {
    case S_IFREG: return
    case S_IFDIR: kind = "a directory"
    case S_IFIFO: kind = "a named pipe"
    case S_IFSOCK: kind = "a socket"
    default: kind = "a device"
    }
    throw FormatError(path: path, "expected a regular file, found \(kind)")
  }

  deinit { if let base { munmap(base, count) } }

  /// Every byte of the file. Valid while this object lives: use inside `withExtendedLifetime` or while holding it.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// The bytes `offset ..< offset + length`, or nil when they are not all inside the file.
  package func slice(_ offset: Int, _ length: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, length >= 0, offset <= count, length <= count - offset else { return nil }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + length)])
  }

  /// Gives back the memory of the pages that lie wholly inside a part that was read. Touched again, they come from the file again.
  package func release(_ offset: Int, _ length: Int) {
    guard let base, offset >= 0, length >= 0, offset <= count, length <= count - offset else { return }
    let page = MappedFile.pageSize
    let first = (offset + page - 1) / page * page
    // The file's last page belongs to the mapping whole.
    let end = offset + length == count ? count : (offset + length) / page * page
    if first < end { madvise(base + first, end - first, MADV_DONTNEED) }
  }

  private static let pageSize = max(1, Int(sysconf(Int32(_SC_PAGESIZE))))
}

/// Every byte of a small file. The file is not left mapped, so it may change afterwards.
/// - Throws: `FileError`, or `FormatError` when it is larger than `limit` bytes.
package func readSmallFile(_ path: String, limit: Int) throws -> [UInt8] {
  let file = try MappedFile(path)
  guard file.count <= limit else {
    throw FormatError(path: path, "the file has \(file.count) bytes, more than the \(limit) allowed here")
  }
  return withExtendedLifetime(file) { Array(file.bytes) }
}

package func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

package func isDirectory(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
