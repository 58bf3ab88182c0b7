// One file over HTTP, going on where an earlier attempt ended.

import Glibc
import HTTP
import System

struct Download {
  private let address: HTTPAddress
  /// Such as one that holds a token, which goes to no other host.
  var headers: [(name: String, value: String)] = []
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

  /// - Throws: `RunError` (7) for what is no address; (6) without libcurl.
  init(from url: String) throws {
    do {
      guard let address = try HTTPAddress(url) else {
        throw RunError(.remote, "an address to fetch from is none of http or https with a host in it")
      }
      self.address = address
    } catch let failure as HTTPFailure {
      throw RunError(.machine, failure.description)
    }
  }

  /// - Returns: the address that gave it, which is another where the request was sent on.
  /// - Throws: `RunError`: exit 6 without room, 7 when the server refused, stayed unreachable or does not come to an end;
  ///   `SystemError` when the file cannot be written.
  @discardableResult
  func fetch(to path: String, _ fetch: Fetch) throws -> String {
    var attempt = 0
    while true {
      if let size, size.isExact, FileStatus.of(path)?.size == size.bytes { return address.text }
      attempt += 1
      let problem: String
      var pauseAsked: Int32 = 0
      do {
        let response = try self.response(to: path, fetch)
        switch response.status {
        case 200, 206:
          try checkSize(of: path)
          return response.address
        case 401, 403:
          throw RunError(.remote, "`\(address.shown)` is refused (HTTP \(response.status))\(whenRefused)")
        case 404, 410:
          throw RunError(
            .remote, "there is nothing at `\(address.shown)` (HTTP \(response.status))\(whenRefused)")
        default: break
        }
        problem = "HTTP \(response.status)"
        pauseAsked = Self.pauseAsked(by: response)
      } catch let failure as HTTPFailure {
        guard failure.isTransient else {
          throw RunError(.remote, "`\(address.shown)` cannot be fetched: \(failure)")
        }
        problem = failure.description
      }
      if attempt == Download.attempts {
        throw RunError(
          .remote,
          "`\(address.shown)` could not be fetched in \(attempt) attempts (\(problem)); run again to resume")
      }
      let milliseconds = max(500 << Int32(attempt - 1), pauseAsked)
      let wait = milliseconds > 10_000 ? " in \(milliseconds / 1000) s" : ""
      fetch.note("fetching `\(address.shown)` failed (\(problem)); trying again\(wait)")
      try fetch.pause(milliseconds: milliseconds)
    }
  }

  /// A page that says something in the file's place, or a file that was cut, does not become one by trying again.
  private func checkSize(of path: String) throws {
    guard let size, size.isExact, let found = FileStatus.of(path)?.size, found != size.bytes else { return }
    try File.remove(path)
    throw RunError(
      .remote,
      "`\(address.shown)` gives \(found) bytes, but \(size.bytes) are what \(size.saidBy); it is not kept; run again"
    )
  }

  /// Milliseconds that a server which is asked too often names as the time to wait; no longer than a person would.
  private static func pauseAsked(by response: HTTPResponse) -> Int32 {
    let digits = response.header("retry-after")?.prefix { ("0"..."9").contains($0) }.prefix(6)
    return min(digits.flatMap { Int32($0) } ?? 0, longestPause) * 1000
  }

  private static let longestPause: Int32 = 120

  /// One attempt, with what came written behind what is there. Of a server that does not go on from there it is removed.
  private func response(to path: String, _ fetch: Fetch) throws -> HTTPResponse {
    let limit = try Limit(size, for: path, url: address.shown)
    if let there = FileStatus.of(path)?.size, there > limit.bytes { try File.remove(path) }
    let file = try File.open(path, O_WRONLY | O_CREAT | O_APPEND)
    defer { file.closeQuietly() }
    let count = try file.status().size
    // A mirror inside a network may speak plain HTTP; the digest tells what came through it.
    let request = HTTPRequest(
      "GET", address.text, headers: headers, patience: .init(connect: 30, firstByte: 60, whole: .infinity),
      largestBody: limit.bytes - count, redirects: 10)
    do {
      let response = try HTTPStream(request, from: count).run(stoppedBy: fetch.signals) {
        try file.writeAll($0)
      }
      if count > 0, response.status == 416 || response.status == 200 {
        try File.remove(path)
        throw HTTPFailure(.other, "the server does not go on from byte \(count)")
      }
      return response
    } catch let failure as HTTPFailure where failure.kind == .tooLarge {
      try File.remove(path)
      throw limit.error
    }
  }
}

/// How much is written of a file at most. Never more than nine tenths of what was free on the disk.
private struct Limit {
  let bytes: Int
  let error: RunError

  init(_ size: Download.Size?, for path: String, url: String) throws {
    let removed = "the partial file is removed"
    if let size {
      bytes = max(1, size.bytes)
      error = RunError(
        .remote, "`\(url)` sends more than the \(ByteCount(size.bytes)) that \(size.saidBy); \(removed)")
      return
    }
    let folder = Path.parent(path)
    let free = min(try File.freeBytes(at: folder), Int.max / 2)
    bytes = max(1, (FileStatus.of(path)?.size ?? 0) &+ free / 10 * 9)
    error = RunError(
      .machine,
      "`\(url)` sends more than \(ByteCount(bytes)), 90% of the free space in `\(folder)`, or does not end; \(removed); `PLUMB_MODELS` puts fetched models elsewhere"
    )
  }
}
