// The bytes of a Parquet file, read where they are asked for.

import Glibc
import System

final class ParquetInput {
  let path: String
  let size: Int
  private let file: File
  private let status: FileStatus
  /// What was read of the last page, and what it expanded to: one memory for the pages of all columns.
  private var page: [UInt8] = []
  var expandedPage: [UInt8] = []

  init(_ path: String) throws {
    self.path = path
    file = try File.openToRead(path)
    do {
      status = try file.status()
    } catch {
      file.closeQuietly()
      throw error
    }
    size = status.size
  }

  deinit { file.closeQuietly() }

  /// - Throws: `ParquetFault` for a range outside the file; `SystemError`.
  func read(at offset: Int, count: Int) throws -> [UInt8] {
    try check(offset, count)
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      try fill(UnsafeMutableRawBufferPointer(buffer), from: offset)
      initialized = count
    }
  }

  /// As `read`, in memory that the next page gets.
  func readPage(at offset: Int, count: Int) throws -> ArraySlice<UInt8> {
    try check(offset, count)
    if page.count < count { page = [UInt8](repeating: 0, count: count) }
    try page.withUnsafeMutableBytes {
      try fill(UnsafeMutableRawBufferPointer(rebasing: $0[..<count]), from: offset)
    }
    return page[..<count]
  }

  private func check(_ offset: Int, _ count: Int) throws {
    guard offset >= 0, count >= 0, count <= size, offset <= size - count else {
      throw ParquetFault("bytes \(offset) and \(count) on lie outside the file of \(size) bytes")
    }
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int) throws {
    var filled = 0
    while filled < buffer.count {
      let got = pread(
        file.descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, off_t(offset + filled)
      )
      if got < 0, errno == EINTR { continue }
      if got < 0 { throw SystemError("read", path, code: errno) }
      guard got > 0 else { throw ParquetFault("the file changed while it was read") }
      filled += got
    }
  }

  /// Whether the file is as it was when it was opened.
  func checkUnchanged() throws {
    guard try file.status() == status, FileStatus.of(path) == status else {
      throw ParquetFault("the file changed while it was read; run again when it is complete")
    }
  }
}
