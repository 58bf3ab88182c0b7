// The built binary in a folder of its own, with what it cost to run it.

import Glibc
import Runner
import System
import TestFolder
import Testing

final class BuiltPlumb {
  private let place: TemporaryFolder
  var folder: String { place.path }
  let binary: String

  struct Ending {
    var status: Int32
    var output: String
    var error: String
    /// Of the processor, by it and all that it waited for.
    var seconds: Double
    /// Of memory, by the one of these that took the most.
    var peakKibibytes: Int
  }

  /// In the temporary folder of the machine, on a disk where there is one, unless another is asked for.
  init(below parent: String = "/tmp") throws {
    place = TemporaryFolder(below: parent)
    // `swift test` runs the bundle itself, which lies beside the executables.
    binary = "\(Path.parent(try ChildProcess.ownExecutable()))/plumb"
    try #require(access(binary, X_OK) == 0, "the program is not built: \(binary)")
  }

  func write(_ text: String, to name: String) throws { try place.write(text, to: name) }

  func text(_ name: String) -> String { place.text(name) }

  /// Runs `plumb ARGUMENTS` in the folder, as a shell reads them; `before` stands before the program.
  func run(_ arguments: String, before: String = "") throws -> Ending {
    try shell("\(before) '\(binary)' \(arguments);")
  }

  /// Runs a shell's commands in the folder.
  func shell(_ commands: String) throws -> Ending {
    let line = "cd '\(folder)' && { \(commands) } >out 2>err"
    var words: [UnsafeMutablePointer<CChar>?] = []
    for word in ["/bin/sh", "-c", line] { words.append(strdup(word)) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var process: pid_t = 0
    try #require(posix_spawn(&process, "/bin/sh", nil, nil, &words, environ) == 0)
    var status: Int32 = 0
    var usage = rusage()
    while wait4(process, &status, 0, &usage) < 0 { try #require(errno == EINTR) }
    let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F
    return Ending(
      status: code, output: text("out"), error: text("err"),
      seconds: [usage.ru_utime, usage.ru_stime].reduce(0) {
        $0 + Double($1.tv_sec) + Double($1.tv_usec) * 1e-6
      }, peakKibibytes: usage.ru_maxrss)
  }
}
