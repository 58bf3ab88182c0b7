// Names in the file system: renamed, removed, listed; folders made and removed.

import Glibc

extension File {
  package static func rename(_ source: String, to destination: String) throws {
    try File.attempt(.rename, destination)
    if Glibc.rename(source, destination) != 0 {
      throw SystemError("rename `\(source)` to", destination, code: errno)
    }
  }

  package static func synchronizeDirectory(_ path: String) throws {
    try File.attempt(.fsyncDirectory, path)
    let directory = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw SystemError("open", path, code: errno) }
    defer { _ = Glibc.close(directory) }
    if fsync(directory) != 0 { throw SystemError("fsync", path, code: errno) }
  }

  /// Removes a file; one that is not there is removed already.
  package static func remove(_ path: String) throws {
    try File.attempt(.unlink, path)
    if unlink(path) != 0, errno != ENOENT { throw SystemError("remove", path, code: errno) }
  }

  package static func makeSymbolicLink(at path: String, to target: String) throws {
    try File.attempt(.symlink, path)
    if symlink(target, path) != 0 { throw SystemError("create", path, code: errno) }
  }

  /// With its parents; one that is there is made already. `isDurable`: so that a crash does not take it away again with what
  /// was put into it.
  package static func makeDirectory(_ path: String, isDurable: Bool = false) throws {
    if FileStatus.of(path)?.isDirectory == true { return }
    let parent = Path.parent(path)
    if parent != path { try makeDirectory(parent, isDurable: isDurable) }
    if try makeNewDirectory(path) {
      if isDurable { try synchronizeDirectory(parent) }
    } else if FileStatus.of(path)?.isDirectory != true {
      throw SystemError("create", path, code: ENOTDIR)
    }
  }

  /// - Returns: false when something is there already.
  /// - Throws: `SystemError`, also where its parent is not there.
  package static func makeNewDirectory(_ path: String) throws -> Bool {
    try File.attempt(.mkdir, path)
    if mkdir(path, 0o755) == 0 { return true }
    if errno == EEXIST { return false }
    throw SystemError("create", path, code: errno)
  }

  /// Names in a directory without `.` and `..`, sorted by their bytes. Empty when there is no such directory.
  package static func names(in directory: String) throws -> [String] {
    try File.attempt(.open, directory)
    guard let handle = opendir(directory) else {
      if errno == ENOENT { return [] }
      throw SystemError("list", directory, code: errno)
    }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let length = Int(strlen(File.namePointer(entry)))
      let bytes = UnsafeRawBufferPointer(start: File.namePointer(entry), count: length)
      let name = String(decoding: bytes, as: UTF8.self)
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func namePointer(_ entry: UnsafeMutablePointer<dirent>) -> UnsafePointer<CChar> {
    let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 19
    return UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
  }

  /// Removes a file, or a directory with what is in it; symbolic links are removed, not followed.
  package static func removeTree(_ path: String) throws {
    var raw = stat()
    if lstat(path, &raw) != 0 { return }
    guard raw.st_mode & S_IFMT == S_IFDIR else { return try remove(path) }
    for name in try names(in: path) { try removeTree("\(path)/\(name)") }
    try File.attempt(.unlink, path)
    if rmdir(path) != 0, errno != ENOENT { throw SystemError("remove", path, code: errno) }
  }
}
