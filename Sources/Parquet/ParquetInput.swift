// The bytes of a Parquet file, read where they are asked for.

import Glibc
import System

final class ParquetInput {
  let path: String
  let size: Int
  private let file: File
  private let status: FileStatus

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
    guard offset >= 0, count >= 0, count <= size, offset <= size - count else {
      throw ParquetFault("bytes \(offset) and \(count) on lie outside the file of \(size) bytes")
    }
    var filled = 0
    let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while filled < count {
        let got = pread(
          file.descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
        if got < 0, errno == EINTR { continue }
        if got < 0 { throw SystemError("read", path, code: errno) }
        if got == 0 { break }
        filled += got
      }
      initialized = filled
    }
    guard filled == count else { throw ParquetFault("the file changed while it was read") }
    return bytes
  }

  /// Whether the file is as it was when it was opened.
  func checkUnchanged() throws {
    guard try file.status() == status, FileStatus.of(path) == status else {
      throw ParquetFault("the file changed while it was read; run again when it is complete")
    }
  }
}
