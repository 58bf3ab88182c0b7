// One file over HTTPS, fetched by curl, going on where an earlier attempt ended.

import Glibc

struct Download {
  let url: String
  /// `NAME: VALUE`, such as one that holds a token; curl drops it where it is sent on to another host.
  var header: String?
  /// What a person may do where access is refused.
  var whenRefused = ""

  static let attempts = 5

  /// - Throws: `RunError`: exit 6 without curl or room, 7 when the server refused or stayed unreachable.
  func fetch(to path: String, _ fetch: Fetch) throws {
    for attempt in 1...Download.attempts {
      let (ending, output) = try curl(to: path, fetch)
      if ending == .exited(0) { return }
      let words = said(output)
      let status = httpStatus(output)
      switch (ending, status) {
      case (.exited(22), 401), (.exited(22), 403):
        throw RunError(.remote, "`\(url)` is refused (HTTP \(status))\(whenRefused)")
      case (.exited(22), 404), (.exited(22), 410):
        throw RunError(.remote, "there is nothing at `\(url)` (HTTP \(status))\(whenRefused)")
      case (.exited(22), 416), (.exited(33), _):
        // What is there is no beginning of what the server has.
        try File.remove(path)
      case (.exited(23), _):
        throw RunError(.machine, "cannot write `\(path)`: \(words); is the disk full?")
      case (.exited(3), _), (.exited(60), _), (.exited(77), _):
        throw RunError(.remote, "`\(url)` cannot be fetched: \(words)")
      default: break
      }
      if attempt == Download.attempts {
        throw RunError(
          .remote,
          "`\(url)` could not be fetched in \(attempt) attempts (\(words)); run again, and it goes on")
      }
      fetch.note("fetching `\(url)` failed (\(words)); trying again")
      try fetch.pause(milliseconds: 500 << Int32(attempt - 1))
    }
  }

  private func curl(to path: String, _ fetch: Fetch) throws -> (ending: ChildProcess.Ending, output: String) {
    // A mirror inside a network may speak plain HTTP; the digest tells what came through it.
    let schemes = url.utf8.starts(with: "http://".utf8) ? "=http,https" : "=https"
    var arguments = [
      "--disable", "--silent", "--show-error", "--fail", "--location", "--max-redirs", "10", "--proto",
      schemes,
      "--proto-redir", schemes, "--connect-timeout", "30", "--speed-limit", "1000", "--speed-time", "60",
      "--continue-at", "-", "--write-out", "\n%{http_code}", "--output", path,
    ]
    // In a file: arguments can be read by everybody. Gone when curl is, since what a fetch that failed had fetched stays.
    let secret = "\(fetch.folder)/.header"
    defer { try? File.remove(secret) }
    if let header {
      try File.remove(secret)
      try File.writeWhole(header + "\n", to: secret, mode: 0o600)
      arguments += ["--header", "@\(secret)"]
    }
    do {
      return try fetch.run("curl", arguments + ["--url", url])
    } catch let error as SystemError where error.operation == "start" {
      throw RunError(.machine, "curl is not there; type `apt-get install curl`, then run again")
    }
  }

  /// The last line.
  private func httpStatus(_ output: String) -> Int {
    output.utf8.split(separator: 0x0A).last.flatMap { Int(String(decoding: Array($0), as: UTF8.self)) } ?? 0
  }

  private func said(_ output: String) -> String {
    let line = output.utf8.split(separator: 0x0A).map { String(decoding: Array($0), as: UTF8.self) }
      .last { $0.utf8.starts(with: "curl: ".utf8) }
    guard let line else { return "curl said nothing" }
    return String(line.dropFirst("curl: ".utf8.count).prefix(300))
  }
}
