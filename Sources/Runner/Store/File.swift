// The system calls on files: open, write everything, fsync, rename, lock. Everything the store makes durable passes here.

import Glibc

/// A system call that failed: which, on what, why, and how many bytes it was to write.
package struct SystemError: Error, Sendable, CustomStringConvertible {
  package let operation: String
  package let path: String
  package let code: Int32
  /// For a write: how many bytes were to be written.
  package let bytes: Int?

  package init(_ operation: String, _ path: String, code: Int32, bytes: Int? = nil) {
    self.operation = operation
    self.path = path
    self.code = code
    self.bytes = bytes
  }

  /// Whether the machine is to blame (disk full, quota, medium, permission, descriptors) rather than the path.
  package var isMachineFault: Bool {
    [ENOSPC, EDQUOT, EIO, EACCES, EPERM, EROFS, EMFILE, ENFILE, ENOMEM, EXDEV].contains(code)
  }

  /// Whether the place may only be read.
  package var isDenied: Bool { [EACCES, EPERM, EROFS].contains(code) }

  /// Whether it was to make or change something, and so failed in a place that was given for that.
  package var changesTheDisk: Bool { operation != "open" && operation != "read" && operation != "list" }

  package var description: String {
    var text = "cannot \(operation) `\(path)`"
    if let bytes { text += " (\(bytes) bytes)" }
    text += ": \(String(cString: strerror(code)).lowercased())"
    switch code {
    case ENOSPC, EDQUOT: text += "; free some space and run again: finished work is kept"
    case EACCES, EPERM, EROFS: if changesTheDisk { text += "; `--store DIR` puts the store elsewhere" }
    default: break
    }
    return text
  }
}

/// An open descriptor. A value without ownership: whoever opened it closes it once.
package struct File: Sendable {
  package let descriptor: Int32
  package let path: String

  /// Called before each step that changes the disk; what it throws is what the step throws.
  package typealias Fault = (FileOperation, String) throws -> Void

  /// Runs `body` with a fault on this thread: a test fails, or "dies", at the n-th step. A plain thread-specific value, since
  /// a task-local one crashes in optimised builds when it is bound by synchronous code.
  package static func withFault<T>(_ fault: @escaping Fault, _ body: () throws -> T) rethrows -> T {
    let box = FaultBox(fault)
    pthread_setspecific(faultKey, Unmanaged.passUnretained(box).toOpaque())
    defer { pthread_setspecific(faultKey, nil) }
    return try withExtendedLifetime(box, body)
  }

  private final class FaultBox {
    let fault: Fault
    init(_ fault: @escaping Fault) { self.fault = fault }
  }

  private static let faultKey: pthread_key_t = {
    var key = pthread_key_t()
    precondition(pthread_key_create(&key, nil) == 0, "no thread-specific key is left")
    return key
  }()

  static func attempt(
    _ operation: FileOperation, _ path: String, bytes: UnsafeRawBufferPointer? = nil, descriptor: Int32 = -1
  ) throws {
    if let fault = InjectedFault.current,
      let code = fault.strike(operation, bytes: bytes, descriptor: descriptor)
    {
      throw SystemError(operation.verb, path, code: code, bytes: bytes?.count)
    }
    guard operation.changesTheDisk, let pointer = pthread_getspecific(faultKey) else { return }
    try Unmanaged<FaultBox>.fromOpaque(pointer).takeUnretainedValue().fault(operation, path)
  }

  package init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  /// Always with `O_CLOEXEC`.
  package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o644) throws -> File {
    try File.attempt(flags & O_CREAT != 0 ? .create : .open, path)
    while true {
      let descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
      if descriptor >= 0 { return File(descriptor: descriptor, path: path) }
      if errno != EINTR {
        throw SystemError(flags & O_CREAT != 0 ? "create" : "open", path, code: errno)
      }
    }
  }

  package func writeAll(_ bytes: UnsafeRawBufferPointer) throws {
    try File.attempt(.write, path, bytes: bytes, descriptor: descriptor)
    var offset = 0
    while offset < bytes.count {
      let left = bytes.count - offset
      let piece = InjectedFault.current?.piece(of: left) ?? left
      let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + offset }, piece)
      if count < 0 {
        if errno == EINTR { continue }
        throw SystemError("write", path, code: errno, bytes: bytes.count - offset)
      }
      // A regular file never takes 0 bytes without an error, but a loop that cannot end is worse than a wrong guess.
      if count == 0 { throw SystemError("write", path, code: ENOSPC, bytes: bytes.count - offset) }
      offset += count
    }
  }

  package func writeAll(_ text: String) throws {
    var text = text
    try text.withUTF8 { try writeAll(UnsafeRawBufferPointer($0)) }
  }

  /// Never to be repeated after a failure: the kernel may have dropped the pages it could not write.
  package func synchronize() throws {
    try File.attempt(.fsync, path)
    if fsync(descriptor) != 0 { throw SystemError("fsync", path, code: errno) }
  }

  /// The descriptor is gone whether or not this throws.
  package func close() throws {
    let code = Glibc.close(descriptor) != 0 ? errno : 0
    try File.attempt(.close, path)
    if code != 0, code != EINTR { throw SystemError("close", path, code: code) }
  }

  /// For descriptors that were only read, and on the way out of a failure.
  package func closeQuietly() { _ = Glibc.close(descriptor) }

  package func status() throws -> FileStatus {
    var raw = stat()
    if fstat(descriptor, &raw) != 0 { throw SystemError("stat", path, code: errno) }
    return FileStatus(raw)
  }

  /// Gives the rest of the file in blocks of at most 1 MiB, or as many of its bytes as `limit` says.
  package func readBlocks(upTo limit: Int = .max, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try File.attempt(.read, path)
    let size = min(1 << 20, max(1 << 12, try status().size))
    // Alignment 16 is plain `malloc`: what glibc 2.36 gave for a larger one, it did not use again after it was freed.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
    defer { buffer.deallocate() }
    var left = limit
    while left > 0 {
      let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(size, left)])
      let count = try read(into: piece, isWhole: false)
      if count == 0 { return }
      left -= count
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// Fills the buffer from the rest of the file, or with what one call gives.
  /// - Returns: how many bytes were read; 0 at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer, isWhole: Bool = true) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw SystemError("read", path, code: errno) }
      filled += count
      if count == 0 || !isWhole { break }
    }
    return filled
  }

  /// Waits for nothing: false when another open file description holds the lock.
  package func tryLock() throws -> Bool {
    try File.attempt(.lock, path)
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return false }
      if errno != EINTR { throw SystemError("lock", path, code: errno) }
    }
    return true
  }

  /// Whether another open file description holds the lock of a file; false where there is no such file.
  package static func isLocked(_ path: String) -> Bool {
    guard let file = try? openToRead(path) else { return false }
    defer { file.closeQuietly() }
    // Shared, so that two who ask do not take each other for the holder.
    return flock(file.descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// Waits until the lock is had; several may hold a shared one.
  package func waitForLock(shared: Bool = false) throws {
    try File.attempt(.lock, path)
    while flock(descriptor, shared ? LOCK_SH : LOCK_EX) != 0 {
      if errno != EINTR { throw SystemError("lock", path, code: errno) }
    }
  }

  package func setMode(_ mode: mode_t) throws {
    try File.attempt(.chmod, path)
    if fchmod(descriptor, mode) != 0 { throw SystemError("chmod", path, code: errno) }
  }

  package func truncate() throws {
    try File.attempt(.truncate, path)
    if ftruncate(descriptor, 0) != 0 { throw SystemError("truncate", path, code: errno) }
  }
}

/// What tells a file's state apart without reading it.
package struct FileStatus: Sendable, Equatable {
  package let device: UInt64
  package let inode: UInt64
  package let size: Int
  package let modifiedNanoseconds: Int64
  package let changedNanoseconds: Int64
  package let mode: mode_t

  init(_ raw: stat) {
    device = UInt64(raw.st_dev)
    inode = UInt64(raw.st_ino)
    size = Int(raw.st_size)
    modifiedNanoseconds = Int64(raw.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(raw.st_mtim.tv_nsec)
    changedNanoseconds = Int64(raw.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(raw.st_ctim.tv_nsec)
    mode = raw.st_mode
  }

  package var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
  package var isRegularFile: Bool { mode & S_IFMT == S_IFREG }

  /// Follows symbolic links; nil when nothing is there.
  package static func of(_ path: String) -> FileStatus? {
    var raw = stat()
    return stat(path, &raw) == 0 ? FileStatus(raw) : nil
  }

  package static func orThrow(_ path: String) throws -> FileStatus {
    var raw = stat()
    if stat(path, &raw) != 0 { throw SystemError("read", path, code: errno) }
    return FileStatus(raw)
  }
}

extension FileOperation {
  var changesTheDisk: Bool {
    switch self {
    case .open, .read, .close, .lock: false
    default: true
    }
  }

  /// In the words of a `SystemError`.
  var verb: String {
    switch self {
    case .fsyncDirectory: "fsync"
    case .unlink: "remove"
    case .mkdir, .symlink: "create"
    case .rename: "rename a file to"
    default: rawValue
    }
  }
}

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

/// Paths as text.
package enum Path {
  package static func parent(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  package static func name(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path[path.utf8.index(after: slash)...])
  }

  /// Made absolute by the working directory; links are not resolved.
  package static func absolute(_ path: String) -> String {
    if path.utf8.first == UInt8(ascii: "/") { return path }
    guard let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return path == "." ? String(cString: current) : "\(String(cString: current))/\(path)"
  }
}
