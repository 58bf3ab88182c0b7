// A fault at the n-th file operation, for tests: what a full disk, a failing medium or a kill does to a run.

import Glibc
import Synchronization

/// `PLUMB_FAULT="N WHAT TRACE"` in the environment of a run: its N-th file operation, counted over the run and its workers,
/// fails with WHAT; with `N+` every one from there on. Without the variable nothing here does anything.
///
/// WHAT is an error's name (`ENOSPC`, `EIO`, `EDQUOT`, `EMFILE`, …), `kill` (SIGKILL before the operation), `torn` (a write
/// half done, then SIGKILL) or `short` (every write takes half of what it is given). TRACE is a file that gets one letter an
/// operation, by which the processes count together and a test sees how many there were.
package final class InjectedFault: Sendable {
  package static let variable = "PLUMB_FAULT"

  enum Effect: Sendable, Equatable {
    case error(Int32)
    case kill, torn, short
  }

  /// Nil in any ordinary process.
  static let current = getenv(variable).flatMap { InjectedFault(String(cString: $0)) }

  private let first: Int
  private let isSticky: Bool
  private let effect: Effect
  private let trace: Int32
  private let counting = Mutex(())

  private init?(_ text: String) {
    let words = text.split(separator: " ", maxSplits: 2).map(String.init)
    guard words.count == 3, let number = Int(words[0].filter { $0 != "+" }),
      let effect = InjectedFault.effect(named: words[1])
    else {
      InjectedFault.refuse("expected `N WHAT TRACE`, found `\(text)`")
      return nil
    }
    first = number
    isSticky = words[0].hasSuffix("+")
    self.effect = effect
    trace = open(words[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    if trace < 0 { InjectedFault.refuse("cannot open the trace `\(words[2])`") }
  }

  private static func effect(named word: String) -> Effect? {
    switch word {
    case "kill": .kill
    case "torn": .torn
    case "short": .short
    case "ENOSPC": .error(ENOSPC)
    case "EIO": .error(EIO)
    case "EDQUOT": .error(EDQUOT)
    case "EMFILE": .error(EMFILE)
    case "EACCES": .error(EACCES)
    case "EROFS": .error(EROFS)
    case "EXDEV": .error(EXDEV)
    default: nil
    }
  }

  /// A test that injects nothing would pass for the wrong reason.
  private static func refuse(_ problem: String) {
    let line = "\(variable): \(problem)\n"
    _ = line.withCString { Glibc.write(2, $0, strlen($0)) }
    _exit(2)
  }

  /// How much of a write is given to the system at once.
  func piece(of count: Int) -> Int { effect == .short ? max(1, count / 2) : count }

  /// The error that this operation is to fail with. `bytes` and `descriptor`: of a write.
  func strike(_ operation: FileOperation, bytes: UnsafeRawBufferPointer?, descriptor: Int32) -> Int32? {
    let number = counting.withLock { _ in
      var letter = operation.letter
      // The offset after an appending write is the end of what this process wrote, whoever else appends.
      guard Glibc.write(trace, &letter, 1) == 1 else { return 0 }
      return Int(lseek(trace, 0, SEEK_CUR))
    }
    guard number == first || isSticky && number > first else { return nil }
    switch effect {
    case .error(let code): return code
    case .short: return nil
    case .torn:
      if let bytes { _ = Glibc.write(descriptor, bytes.baseAddress, bytes.count / 2) }
      Glibc.kill(getpid(), SIGKILL)
    case .kill: Glibc.kill(getpid(), SIGKILL)
    }
    while true { pause() }
  }
}
