// One file over HTTPS, fetched by curl, going on where an earlier attempt ended.
//
// curl writes to a pipe and we to the file: it ends soon after us whatever ends us, writes nothing that is not wanted, and gets a token
// on its standard input, so that it is never on a disk or among arguments.

import Glibc
import System

struct Download {
  let url: String
  /// `NAME: VALUE`, such as one that holds a token; curl drops it where it is sent on to another host.
  var header: String?
  /// What a person may do where access is refused.
  var whenRefused = ""
  /// How large the file is at most, where something says so; else what the disk has room for.
  var size: Size?

  struct Size {
    let bytes: Int
    let saidBy: String
    /// Whether fewer bytes are wrong too.
    let isExact: Bool
  }

  static let attempts = 5

  /// - Throws: `RunError`: exit 6 without curl or room, 7 when the server refused, stayed unreachable or does not come to an end;
  ///   `SystemError` when the file cannot be written.
  func fetch(to path: String, _ fetch: Fetch) throws {
    for attempt in 1...Download.attempts {
      let (ending, errors) = try curl(to: path, fetch)
      if ending == .exited(0) { return try checkSize(of: path) }
      let words = curlMessage(in: errors)
      let status = httpStatus(errors)
      switch (ending, status) {
      case (.exited(22), 401), (.exited(22), 403):
        throw RunError(.remote, "`\(url)` is refused (HTTP \(status))\(whenRefused)")
      case (.exited(22), 404), (.exited(22), 410):
        throw RunError(.remote, "there is nothing at `\(url)` (HTTP \(status))\(whenRefused)")
      case (.exited(22), 416), (.exited(33), _):
        // What is there is no beginning of what the server has.
        try File.remove(path)
      case (.exited(3), _), (.exited(60), _), (.exited(77), _):
        throw RunError(.remote, "`\(url)` cannot be fetched: \(words)")
      default: break
      }
      if attempt == Download.attempts {
        throw RunError(
          .remote,
          "`\(url)` could not be fetched in \(attempt) attempts (\(words)); run again to resume")
      }
      let milliseconds = max(500 << Int32(attempt - 1), Self.pauseAsked(in: errors) ?? 0)
      let wait = milliseconds > 10_000 ? " in \(milliseconds / 1000) s" : ""
      fetch.note("fetching `\(url)` failed (\(words)); trying again\(wait)")
      try fetch.pause(milliseconds: milliseconds)
    }
  }

  /// A page that says something in the file's place, or a file that was cut, does not become one by trying again.
  private func checkSize(of path: String) throws {
    guard let size, size.isExact, let found = FileStatus.of(path)?.size, found != size.bytes else { return }
    try File.remove(path)
    throw RunError(
      .remote,
      "`\(url)` gives \(found) bytes, but \(size.bytes) are what \(size.saidBy); it is not kept; run again")
  }

  /// What a server that is asked too often names as the time to wait; no longer than a person would.
  private static func pauseAsked(in errors: String) -> Int32? {
    guard let range = errors.firstRange(of: retryMark) else { return nil }
    return Int32(errors[range.upperBound...].prefix { ("0"..."9").contains($0) }.prefix(6)).map {
      min($0, longestPause) * 1000
    }
  }

  private static let retryMark = "retry-after: "
  private static let longestPause: Int32 = 120

  private func curl(to path: String, _ fetch: Fetch) throws -> (ending: ChildProcess.Ending, errors: String) {
    let limit = try Limit(size, for: path, url: url)
    if let there = FileStatus.of(path)?.size, there > limit.bytes { try File.remove(path) }
    let file = try File.open(path, O_WRONLY | O_CREAT | O_APPEND)
    defer { file.closeQuietly() }
    var count = try file.status().size
    // A mirror inside a network may speak plain HTTP; the digest tells what came through it.
    let schemes = url.utf8.starts(with: "http://".utf8) ? "=http,https" : "=https"
    var arguments = [
      "--disable", "--silent", "--show-error", "--fail", "--location", "--max-redirs", "10", "--proto",
      schemes, "--proto-redir", schemes, "--connect-timeout", "30", "--speed-limit", "1000", "--speed-time",
      "60",
      "--output", "-", "--write-out", "%{stderr}\(Self.retryMark)%header{retry-after}\n",
    ]
    // Of no bytes curl takes it for no limit.
    if limit.bytes > count { arguments += ["--max-filesize", String(limit.bytes - count)] }
    if count > 0 { arguments += ["--continue-at", String(count)] }
    if header != nil { arguments += ["--header", "@-"] }
    do {
      let result = try fetch.stream(
        "curl", arguments + ["--url", url], input: header.map { $0 + "\n" } ?? ""
      ) {
        bytes in
        guard bytes.count <= limit.bytes - count else { throw limit.error }
        try file.writeAll(bytes)
        count += bytes.count
      }
      // By what the server said of its size, before the first byte.
      if result.ending == .exited(63) { throw limit.error }
      return result
    } catch let error as SystemError where error.operation == "start" {
      throw RunError(.machine, "curl is not installed; run `apt-get install curl`, then try again")
    } catch let error as Limit.Passed {
      try File.remove(path)
      throw error.error
    }
  }

  /// Of a server that refused: `curl: (22) The requested URL returned error: 404`.
  private func httpStatus(_ errors: String) -> Int {
    guard let range = errors.firstRange(of: "returned error: ") else { return 0 }
    return Int(errors[range.upperBound...].prefix { $0.isNumber }) ?? 0
  }

  private func curlMessage(in errors: String) -> String {
    let line = errors.utf8.split(separator: 0x0A).map { String(decoding: Array($0), as: UTF8.self) }
      .last { $0.utf8.starts(with: "curl: ".utf8) }
    guard let line else { return "curl gave no message" }
    return String(line.dropFirst("curl: ".utf8.count).prefix(300))
  }
}

/// How much is written of a file at most. Never more than nine tenths of what was free on the disk.
private struct Limit {
  struct Passed: Error { let error: RunError }

  let bytes: Int
  let error: Passed

  init(_ size: Download.Size?, for path: String, url: String) throws {
    let removed = "the partial file is removed"
    if let size {
      bytes = max(1, size.bytes)
      error = Passed(
        error: RunError(
          .remote, "`\(url)` sends more than the \(ByteCount(size.bytes)) that \(size.saidBy); \(removed)"))
      return
    }
    let folder = Path.parent(path)
    let free = min(try File.freeBytes(at: folder), Int.max / 2)
    bytes = max(1, (FileStatus.of(path)?.size ?? 0) &+ free / 10 * 9)
    error = Passed(
      error: RunError(
        .machine,
        "`\(url)` sends more than \(ByteCount(bytes)), 90% of the free space in `\(folder)`, or does not end; \(removed); `PLUMB_MODELS` puts fetched models elsewhere"
      ))
  }
}
