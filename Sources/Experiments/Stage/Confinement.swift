// What a stage may write: its own folders, the machine's temporary ones and the user's cache. Linux holds it to that, and
// all it starts (Landlock, for which nobody needs to be root).

import Glibc
import System

/// Nothing is kept from being read. Where the kernel has no Landlock, a stage still works in its scratch folder, so that what
/// it writes by a relative path goes with that.
package struct Confinement {
  /// Where more may be written: folders as in `PATH`. `/` is everything.
  package static let variable = ChildProcess.writableVariable

  /// Absolute; those that are not there are passed over.
  private let folders: [String]

  /// Of a program that a stage starts: nothing of the store, so that what it reads stays what it was.
  package init(of context: StageContext) {
    self.init([context.scratch, context.outputDirectory])
  }

  /// - Parameter own: folders beside the machine's temporary ones and the user's cache.
  package init(_ own: [String]) {
    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    var folders = own + ["/tmp", "/var/tmp", "/dev", "/proc"]
    folders += [variable("TMPDIR"), variable("XDG_CACHE_HOME"), variable("HOME").map { "\($0)/.cache" }]
      .compactMap { $0 }
    folders += (variable(Confinement.variable) ?? "").split(separator: ":").map(String.init)
    self.folders = folders.filter { $0.utf8.first == UInt8(ascii: "/") }
  }

  /// Why an error is one, if it is that the stage wrote where it may not.
  package func explanation(of error: any Error) -> String? {
    guard let error = error as? SystemError, error.code == EACCES, error.changesTheDisk else { return nil }
    return
      "it may not \(error.operation) `\(error.path)`: a stage may write only its outputs, its scratch folder and temporary files, and "
      + "below the folders that `\(Confinement.variable)` lists"
  }

  // MARK: Landlock

  /// `linux/landlock.h`: all that changes a file or a folder.
  private enum Access {
    static let writeFile: UInt64 = 1 << 1
    static let truncate: UInt64 = 1 << 14
    /// Make and remove files, folders, links, pipes, sockets and devices, and move them between folders.
    static let changeFolder: UInt64 = 0b11_1111_1111 << 4
    static let ofFile = writeFile | truncate
  }

  /// The same on every architecture.
  private enum SystemCallNumber {
    static let createRuleset = 444
    static let addRule = 445
    static let restrictSelf = 446
  }

  /// `O_PATH`, which Swift does not import: to name a place, not to read it.
  private static let asPlace: Int32 = 0o10_000_000

  private typealias ProcessControl = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32

  /// Whether `enforce` can do anything here.
  package static var isAvailable: Bool { version >= 2 }

  /// Of the kernel's Landlock; the first could not let a file be moved from one folder to another.
  private static var version: Int { SystemCall.call(SystemCallNumber.createRuleset, 0, 0, 1) }

  /// What `start` starts is confined and this process is not: Linux confines a thread and what comes from it. Where the kernel
  /// cannot, it is started as it is.
  package func starting(_ start: @escaping @Sendable () throws -> ChildProcess) throws -> ChildProcess {
    try onOwnThread {
      _ = enforce()
      return try start()
    }
  }

  /// Confines this thread from here on, and what it starts. Call before other threads are started.
  /// - Returns: false where the kernel cannot.
  package func enforce() -> Bool {
    // SAFETY: the C library's own function, which takes words as `syscall` does.
    guard Confinement.isAvailable,
      let control = dlsym(nil, "prctl").map({ unsafeBitCast($0, to: ProcessControl.self) })
    else { return false }
    let all = Access.writeFile | Access.changeFolder | (Confinement.version >= 3 ? Access.truncate : 0)
    var handled = all
    let ruleset = withUnsafePointer(to: &handled) { pointer in
      SystemCall.call(SystemCallNumber.createRuleset, Int(bitPattern: pointer), MemoryLayout<UInt64>.size)
    }
    guard ruleset >= 0 else { return false }
    defer { close(Int32(ruleset)) }
    for folder in folders {
      let descriptor = open(folder, Confinement.asPlace | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      var raw = stat()
      guard fstat(descriptor, &raw) == 0 else { return false }
      let rights = raw.st_mode & S_IFMT == S_IFDIR ? all : all & Access.ofFile
      // `landlock_path_beneath_attr`, which is packed: the rights, then the descriptor.
      let isAdded = withUnsafeTemporaryAllocation(byteCount: 12, alignment: 8) { rule in
        rule.storeBytes(of: rights, toByteOffset: 0, as: UInt64.self)
        rule.storeBytes(of: descriptor, toByteOffset: 8, as: Int32.self)
        return SystemCall.call(SystemCallNumber.addRule, ruleset, 1, Int(bitPattern: rule.baseAddress)) == 0
      }
      guard isAdded else { return false }
    }
    let noNewPrivileges: Int32 = 38
    return control(noNewPrivileges, 1, 0, 0, 0) == 0
      && SystemCall.call(SystemCallNumber.restrictSelf, ruleset) == 0
  }
}
