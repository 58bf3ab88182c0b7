// Child processes: the one file that starts them.
//
// Over posix_spawn rather than a subprocess library, because a worker needs what those do not give together: a process
// group of its own, descriptors beyond the standard three (its events, and the node's lock, which must outlive a killed
// parent), and an end that is waited for in the same poll as signals and other workers' pipes.

import Glibc

package struct ChildProcess: Sendable {
  package let processID: pid_t

  /// One that was started elsewhere.
  package init(processID: pid_t) { self.processID = processID }

  /// Starts `executable` in a process group of its own unless it `joinsGroup`, with default signal handling.
  /// `descriptors[i]` becomes the child's descriptor `i`; nil is /dev/null for the standard three. Every other descriptor of ours
  /// is `O_CLOEXEC`.
  /// - Parameter name: what the child finds as its own name (`argv[0]`), where it is not the executable's.
  package static func start(
    _ executable: String, named name: String? = nil, arguments: [String],
    environment: [(name: String, value: String)], descriptors: [Int32?], joinsGroup: Bool = false
  ) throws -> ChildProcess {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // Raised above the targets first, so that no dup2 overwrites a source that is still to be used.
    var raised: [Int32] = []
    defer { for descriptor in raised { close(descriptor) } }
    for (target, source) in descriptors.enumerated() {
      if let source {
        let copy = fcntl(source, F_DUPFD_CLOEXEC, 64)
        guard copy >= 0 else { throw SystemError("duplicate a descriptor for", executable, code: errno) }
        raised.append(copy)
        posix_spawn_file_actions_adddup2(&actions, copy, Int32(target))
      } else {
        posix_spawn_file_actions_addopen(&actions, Int32(target), "/dev/null", O_RDWR, 0)
      }
    }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    if !joinsGroup {
      posix_spawnattr_setpgroup(&attributes, 0)
      flags |= POSIX_SPAWN_SETPGROUP
    }
    posix_spawnattr_setflags(&attributes, Int16(flags))

    var argv: [UnsafeMutablePointer<CChar>?] = ([name ?? executable] + arguments).map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.name)=\($0.value)") } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var processID: pid_t = 0
    let code = posix_spawnp(&processID, executable, &actions, &attributes, &argv, &envp)
    guard code == 0 else { throw SystemError("start", executable, code: code) }
    return ChildProcess(processID: processID)
  }

  /// To the child alone.
  package func send(_ signal: Int32) { kill(processID, signal) }

  /// To whatever is left of its group; false when nothing is.
  @discardableResult
  package func sendToGroup(_ signal: Int32) -> Bool { kill(-processID, signal) == 0 }

  /// Whether a process of its group still runs; one that has ended and that nobody has waited for does not.
  package var hasLivingGroup: Bool {
    guard sendToGroup(0) else { return false }
    guard let names = try? File.names(in: "/proc") else { return true }
    return names.contains { name in
      guard name.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let bytes = try? File.readKernelFile("/proc/\(name)/stat"),
        let end = bytes.lastIndex(of: UInt8(ascii: ")"))
      else { return false }
      // State, parent, group.
      let fields = bytes[bytes.index(after: end)...].split(separator: 0x20)
      guard fields.count > 2, let group = pid_t(String(decoding: fields[2], as: UTF8.self)) else {
        return false
      }
      return group == processID && fields[0].first != UInt8(ascii: "Z")
    }
  }

  /// A descriptor that can be read once the process has ended, which the caller closes; nil where the kernel has none (before 5.3).
  package func endDescriptor() -> Int32? {
    let descriptor = SystemCall.call(Self.openProcess, Int(processID))
    return descriptor >= 0 ? Int32(descriptor) : nil
  }

  /// `pidfd_open`
  private static let openProcess = 434

  package enum Ending: Sendable, Equatable {
    case exited(Int32)
    case signalled(Int32)
  }

  /// Nil while it runs.
  package func ending(waiting: Bool = false) -> Ending? {
    var status: Int32 = 0
    while true {
      let result = waitpid(processID, &status, waiting ? 0 : WNOHANG)
      if result == 0 { return nil }
      if result < 0 {
        if errno == EINTR { continue }
        return .exited(127)
      }
      let signal = status & 0x7f
      return signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    }
  }

  /// Runs to the end and gives what it printed, standard output and error together, at most `limit` bytes of it. The child shares our
  /// group, so that what a terminal sends reaches it too.
  package static func run(
    _ executable: String, arguments: [String], environment: [(name: String, value: String)],
    limit: Int = 1 << 20
  ) throws -> (ending: Ending, output: String) {
    let pipe = try Pipe()
    defer { close(pipe.reading) }
    let child: ChildProcess
    do {
      defer { close(pipe.writing) }
      child = try start(
        executable, arguments: arguments, environment: environment,
        descriptors: [nil, pipe.writing, pipe.writing], joinsGroup: true)
    }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(pipe.reading, &buffer, buffer.count)
      if count < 0, errno != EINTR { throw SystemError("read", "the output of \(executable)", code: errno) }
      if count == 0 { break }
      if count > 0 { output += buffer[..<min(count, max(0, limit - output.count))] }
    }
    return (child.ending(waiting: true) ?? .exited(127), String(decoding: output, as: UTF8.self))
  }

  /// All of this process's variables.
  package static var ownEnvironment: [(name: String, value: String)] {
    var all: [(name: String, value: String)] = []
    var next = environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      if let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) {
        all.append((String(text[..<equals]), String(text[text.utf8.index(after: equals)...])))
      }
      next += 1
    }
    return all
  }

  /// What starts the program that this process runs, also when its file was replaced or removed since: the kernel keeps it.
  package static let ownProgram = "/proc/self/exe"

  /// The file this process was started from, as a path to show or to look around. What is there now may be another program:
  /// `ownProgram` starts this one.
  package static func ownExecutable() throws -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink(ownProgram, &buffer, Int(PATH_MAX))
    guard count > 0 else { throw SystemError("read", ownProgram, code: errno) }
    let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // The kernel's mark on a file that is gone, unless a file is really called so.
    let mark = " (deleted)"
    guard path.utf8.suffix(mark.utf8.count).elementsEqual(mark.utf8), access(path, F_OK) != 0 else {
      return path
    }
    return String(decoding: path.utf8.dropLast(mark.utf8.count), as: UTF8.self)
  }

  /// The variables of ours that a worker is given; nothing else reaches it, so that a secret in the environment of the
  /// run is not one in every stage.
  package static func chosenEnvironment(_ names: [String]) -> [(name: String, value: String)] {
    names.compactMap { name in getenv(name).map { (name, String(cString: $0)) } }
  }

  /// Names further folders, as in `PATH`, in which a stage may write (`Confinement`).
  package static let writableVariable = "PLUMB_WRITABLE"

  package static let workerVariables = [
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "SWIFT_BACKTRACE", "PLUMB_ISA",
    InjectedFault.variable, writableVariable,
  ]
}
