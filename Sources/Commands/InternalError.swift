// A bug in Plumb: said as PLUMB-0900, with a file that holds what is needed to find it, and exit 70.

import Glibc
import Runner
import System

enum InternalError {
  /// Signals that a fault of our own code raises.
  private static let signals: [(number: Int32, name: StaticString)] = [
    (SIGILL, "SIGILL"), (SIGTRAP, "SIGTRAP"), (SIGABRT, "SIGABRT"), (SIGBUS, "SIGBUS"), (SIGFPE, "SIGFPE"),
    (SIGSEGV, "SIGSEGV"),
  ]

  /// From here on a crash of this process writes its file instead of dying without a word. Costs a fraction of a
  /// millisecond: all that allocates is done now, since a handler must not.
  static func watch() {
    if crashNote == nil { crashNote = CrashNote() }
    // A stack of its own, for when the stack is what ran out.
    let size = 1 << 16
    var stack = stack_t()
    stack.ss_sp = malloc(size)
    stack.ss_size = size
    sigaltstack(&stack, nil)
    for signal in signals {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = writeCrash
      action.sa_flags = SA_ONSTACK | Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_NODEFER
      sigaction(signal.number, &action, nil)
    }
  }

  /// Says that something happened which nobody foresaw, and ends with 70.
  static func report(_ what: String) -> Never {
    if crashNote == nil { crashNote = CrashNote() }
    crashNote?.write(SecretText.masked(TerminalText.escaped(what)))
    Glibc.exit(System.ExitCode.bug.rawValue)
  }

  fileprivate static func name(of signal: Int32) -> StaticString {
    signals.first { $0.number == signal }?.name ?? "a signal"
  }
}

/// SAFETY: set once, before any other thread runs; a handler only reads it.
nonisolated(unsafe) private var crashNote: CrashNote?

/// Calls only what may be called in a signal handler.
private func writeCrash(_ signal: Int32) {
  crashNote?.write(signal)
  _exit(System.ExitCode.bug.rawValue)
}

/// What a crash is told with, as bytes that were made when nothing was wrong.
private struct CrashNote {
  private let path: UnsafeMutablePointer<CChar>?
  private let head: UnsafeMutablePointer<CChar>?
  private let said: UnsafeMutablePointer<CChar>?
  private let backtrace: Backtrace?
  private let writeSymbols: WriteSymbols?

  /// `backtrace` and `backtrace_symbols_fd` of <execinfo.h>, which the Glibc module leaves out.
  private typealias Backtrace =
    @convention(c) (UnsafeMutablePointer<UnsafeMutableRawPointer?>?, Int32) -> Int32
  private typealias WriteSymbols =
    @convention(c) (UnsafeMutablePointer<UnsafeMutableRawPointer?>?, Int32, Int32) -> Void

  init() {
    // SAFETY: the C library's own declarations of these names.
    backtrace = dlsym(nil, "backtrace").map { unsafeBitCast($0, to: Backtrace.self) }
    writeSymbols = dlsym(nil, "backtrace_symbols_fd").map { unsafeBitCast($0, to: WriteSymbols.self) }
    // The first one loads the unwinder, which a handler must not.
    var frames = [UnsafeMutableRawPointer?](repeating: nil, count: 1)
    _ = backtrace?(&frames, 1)
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    let path =
      "\(folder.hasPrefix("/") ? folder : "/tmp")/plumb-crash-\(getpid())-\(TemporaryName.randomBits()).txt"
    let command = CommandLine.arguments.map { SecretText.maskedLine($0) }.joined(separator: " ")
    var system = utsname()
    uname(&system)
    let release = withUnsafeBytes(of: system.release) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    self.path = strdup(path)
    head = strdup(
      "PLUMB-0900, an internal error\nversion  \(programVersion)\nsystem   Linux \(release)\ncommand  \(TerminalText.escaped(command))\n"
    )
    said = strdup(
      "\nerror: internal error PLUMB-0900, please report: this is a bug in plumb, not in your experiment; what was finished is kept\n       what to send with the report: \(TerminalText.escaped(path))\n"
    )
  }

  /// Async-signal-safe.
  func write(_ signal: Int32) {
    let file = open()
    put(head, to: file)
    put("signal   ", to: file)
    put(InternalError.name(of: signal), to: file)
    put("\n\n", to: file)
    withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 64) { frames in
      let count = backtrace?(frames.baseAddress, 64) ?? 0
      if file >= 0 { writeSymbols?(frames.baseAddress, count, file) }
    }
    put(said, to: 2)
  }

  func write(_ what: String) {
    let file = open()
    put(head, to: file)
    var line = "error    \(what)\n"
    line.withUTF8 { _ = Glibc.write(file, $0.baseAddress, $0.count) }
    standardError("error: \(what)\n")
    put(said, to: 2)
  }

  /// -1 where it cannot be made: the message alone is left.
  private func open() -> Int32 {
    guard let path else { return -1 }
    return Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
  }

  private func put(_ text: UnsafeMutablePointer<CChar>?, to file: Int32) {
    guard let text, file >= 0 else { return }
    _ = Glibc.write(file, text, strlen(text))
  }

  private func put(_ text: StaticString, to file: Int32) {
    if file >= 0 { _ = Glibc.write(file, text.utf8Start, text.utf8CodeUnitCount) }
  }
}
