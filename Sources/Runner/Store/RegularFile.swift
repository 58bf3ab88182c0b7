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

extension FileStatus {
  /// What it is, with its article; nil of a regular file.
  package var irregularKind: String? {
    switch mode & S_IFMT {
    case S_IFREG: FileStatus.kernelDevices.contains(device) ? "made by the kernel while it is read" : nil
    case S_IFDIR: "a directory"
    case S_IFIFO: "a named pipe"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    default: "not a regular file"
    }
  }

  /// File systems whose regular files have no size of their own, or one of 128 TiB (`/proc/kcore`), or wait for what comes.
  private static let kernelDevices: Set<UInt64> = {
    let places = [
      "/proc", "/sys", "/sys/kernel/debug", "/sys/kernel/tracing", "/sys/kernel/security", "/sys/fs/cgroup",
      "/sys/fs/bpf",
    ]
    var devices = Set(places.compactMap { FileStatus.of($0)?.device })
    // Where nothing is mounted there, the folder is one of the root's.
    if let root = FileStatus.of("/") { devices.remove(root.device) }
    return devices
  }()
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
  /// - Throws: `FileKindError`, `SystemError`.
  package static func read(_ path: String) throws -> [UInt8] {
    let file = try openToRead(path)
    defer { file.closeQuietly() }
    try File.attempt(.read, path)
    let size = max(0, try file.status().size)
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
