// The operations on files that a test may make fail.

/// The steps by which something becomes durable or is read back: what a test may make fail.
package enum FileOperation: String, Sendable, CaseIterable {
  case create, open, read, write, fsync, close, rename, fsyncDirectory, unlink, mkdir, symlink, lock, chmod,
    truncate

  /// How a trace names it.
  var letter: UInt8 {
    switch self {
    case .create: UInt8(ascii: "c")
    case .open: UInt8(ascii: "o")
    case .read: UInt8(ascii: "R")
    case .write: UInt8(ascii: "w")
    case .fsync: UInt8(ascii: "f")
    case .close: UInt8(ascii: "x")
    case .rename: UInt8(ascii: "r")
    case .fsyncDirectory: UInt8(ascii: "d")
    case .unlink: UInt8(ascii: "u")
    case .mkdir: UInt8(ascii: "m")
    case .symlink: UInt8(ascii: "s")
    case .lock: UInt8(ascii: "l")
    case .chmod: UInt8(ascii: "h")
    case .truncate: UInt8(ascii: "t")
    }
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
