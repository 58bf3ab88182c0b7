// The built binary in a folder of its own, with what it cost to run it.

import Glibc
import Runner
import Testing

final class BuiltPlumb {
  let folder: String
  let binary: String

  struct Ending {
    var status: Int32
    var output: String
    var error: String
    var seconds: Double
  }

  init() throws {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, 4095)
    let own = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    binary = String(own[..<(try #require(own.lastIndex(of: "/")))]) + "/plumb"
    var template = Array("/tmp/plumb-built-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { try? File.removeTree(folder) }

  func write(_ text: String, to name: String) throws {
    let stream = try #require(fopen("\(folder)/\(name)", "wb"))
    let bytes = Array(text.utf8)
    #expect(fwrite(bytes, 1, bytes.count, stream) == bytes.count)
    fclose(stream)
  }

  func text(_ name: String) -> String {
    String(decoding: (try? File.read("\(folder)/\(name)")) ?? [], as: UTF8.self)
  }

  /// Runs `plumb ARGUMENTS` in the folder, as a shell reads them; `before` stands before the program.
  func run(_ arguments: String, before: String = "") throws -> Ending {
    let line = "cd '\(folder)' && \(before) exec '\(binary)' \(arguments) >out 2>err"
    var words: [UnsafeMutablePointer<CChar>?] = []
    for word in ["/bin/sh", "-c", line] { words.append(strdup(word)) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var process: pid_t = 0
    let clock = ContinuousClock()
    let start = clock.now
    try #require(posix_spawn(&process, "/bin/sh", nil, nil, &words, environ) == 0)
    var status: Int32 = 0
    var usage = rusage()
    while wait4(process, &status, 0, &usage) < 0 { try #require(errno == EINTR) }
    let time = start.duration(to: clock.now).components
    let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F
    return Ending(
      status: code, output: text("out"), error: text("err"),
      seconds: Double(time.seconds) + Double(time.attoseconds) * 1e-18)
  }
}
