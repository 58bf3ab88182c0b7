// Files written so that a reader, and a crash at any moment, sees the old content or the new: a temporary file beside it, a check
// of its length, fsync, rename, fsync of the folder.

import Glibc

/// A file being written, which gets its name when `finish` has made it durable. One dropped before leaves nothing.
package final class DurableFile {
  package let path: String
  /// Bytes accepted so far.
  package private(set) var count = 0
  private let temporary: String
  private let byteCount: Int?
  private var file: File?
  private var buffer: [UInt8] = []
  private static let bufferSize = 1 << 20

  /// - Parameters:
  ///   - temporaries: the folder for the temporary file, on the same file system; else it stands beside `path`.
  ///   - byteCount: how long the file will be, where that is known, for the message of a full disk.
  package init(
    _ path: String, mode: mode_t = 0o644, temporaries: String? = nil, byteCount: Int? = nil
  ) throws {
    self.path = path
    self.byteCount = byteCount
    temporary =
      "\(temporaries ?? Path.parent(path))/\(Path.name(path)).\(TemporaryName.make())\(DurableFile.suffix)"
    file = try named { try File.open(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: mode) }
  }

  deinit {
    guard let file else { return }
    file.closeQuietly()
    try? File.remove(temporary)
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

  /// - Parameter isNameDurable: whether the name is made durable too; else `File.synchronizeDirectory` has to follow.
  package func finish(isNameDurable: Bool = true) throws {
    guard let file else { preconditionFailure("`\(path)` was finished before") }
    try flush()
    guard try file.status().size == count else { throw SystemError("write", path, code: EIO, bytes: count) }
    try file.synchronize()
    self.file = nil
    do {
      try file.close()
      try File.rename(temporary, to: path)
    } catch {
      try? File.remove(temporary)
      throw error
    }
    if isNameDurable { try File.synchronizeDirectory(Path.parent(path)) }
  }

  /// Removes the temporary files in a folder in which nobody else writes: what killed processes left.
  package static func removeLeftovers(in folder: String) throws {
    for name in try File.names(in: folder)
    where name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) {
      try File.remove("\(folder)/\(name)")
    }
  }

  private static let suffix = ".tmp"

  private func flush() throws {
    guard !buffer.isEmpty else { return }
    try buffer.withUnsafeBytes { try writeThrough($0) }
    buffer.removeAll(keepingCapacity: true)
  }

  private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws {
    try named { try file?.writeAll(bytes) }
  }

  /// An error by the name that the reader knows, with the size of the whole.
  private func named<T>(_ operation: () throws -> T) throws -> T {
    do { return try operation() } catch let error as SystemError {
      throw SystemError(
        error.operation, path, code: error.code, bytes: error.bytes == nil ? nil : byteCount ?? count)
    }
  }
}

extension File {
  /// Writes a whole file durably.
  package static func writeDurably(
    _ text: String, to path: String, mode: mode_t = 0o644, temporaries: String? = nil
  ) throws {
    let file = try DurableFile(path, mode: mode, temporaries: temporaries)
    try file.write(text)
    try file.finish()
  }

  /// Several files of one folder, with one fsync of the folder for all.
  package static func writeDurably(_ files: [(name: String, text: String)], in folder: String) throws {
    for (name, text) in files {
      let file = try DurableFile("\(folder)/\(name)")
      try file.write(text)
      try file.finish(isNameDurable: false)
    }
    try synchronizeDirectory(folder)
  }

  /// Writes a whole file under a name that nobody reads yet; after a failure it is gone.
  package static func writeWhole(
    _ text: String, to path: String, mode: mode_t = 0o644
  ) throws {
    let file = try open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
    do {
      do {
        try file.writeAll(text)
        guard try file.status().size == text.utf8.count else {
          throw SystemError("write", path, code: EIO, bytes: text.utf8.count)
        }
      } catch {
        file.closeQuietly()
        throw error
      }
      try file.close()
    } catch {
      try? remove(path)
      throw error
    }
  }
}
