// Files written so that a reader, and a crash at any moment, sees the old content or the new.

import Glibc

extension File {
  /// Writes a whole file so that a reader, and a crash at any moment, sees the old content or the new: temporary file
  /// beside it, length check, fsync, rename, fsync of the directory.
  /// - Parameter temporaries: the folder for the temporary file, on the same file system; else it stands beside `path`.
  package static func writeDurably(
    _ text: String, to path: String, mode: mode_t = 0o644, temporaries: String? = nil
  ) throws {
    let name = "\(Path.name(path)).\(TemporaryName.make()).tmp"
    let temporary = "\(temporaries ?? Path.parent(path))/\(name)"
    try writeWhole(text, to: temporary, mode: mode, isDurable: true)
    do {
      try rename(temporary, to: path)
    } catch {
      try? remove(temporary)
      throw error
    }
    try synchronizeDirectory(Path.parent(path))
  }

  /// Several files of one folder, each as `writeDurably` does it, with one fsync of the folder for all.
  package static func writeDurably(_ files: [(name: String, text: String)], in folder: String) throws {
    for file in files {
      let temporary = "\(folder)/\(file.name).\(TemporaryName.make()).tmp"
      try writeWhole(file.text, to: temporary, isDurable: true)
      do {
        try rename(temporary, to: "\(folder)/\(file.name)")
      } catch {
        try? remove(temporary)
        throw error
      }
    }
    try synchronizeDirectory(folder)
  }

  /// Writes a whole file under a name that nobody reads yet; after a failure it is gone.
  package static func writeWhole(
    _ text: String, to path: String, mode: mode_t = 0o644, isDurable: Bool = false
  ) throws {
    let file = try open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
    do {
      do {
        try file.writeAll(text)
        guard try file.status().size == text.utf8.count else {
          throw SystemError("write", path, code: EIO, bytes: text.utf8.count)
        }
        if isDurable { try file.synchronize() }
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
