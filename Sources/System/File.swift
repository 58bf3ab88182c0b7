// The system calls on files: open, write everything, fsync, rename, lock. Everything the store makes durable passes here.

import Glibc

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
