// Bodies that are handed on as they come.

import FaultyServer
import Glibc
import HTTP
import System
import Testing

@Suite struct HTTPStreamTests {
  private struct Full: Error {}

  private func text(_ stream: HTTPStream) throws -> (status: Int, text: String) {
    var bytes: [UInt8] = []
    let response = try stream.run { bytes += $0 }
    #expect(response.body.isEmpty)
    return (response.status, String(decoding: bytes, as: UTF8.self))
  }

  /// As servers of files do it.
  private func ranged(_ text: String) throws -> FaultyServer {
    try FaultyServer { request in
      guard let range = request.header("range"), let start = Int(range.dropFirst(6).dropLast()) else {
        return .text(text)
      }
      guard start < text.utf8.count else { return .text("no such part", status: 416) }
      return .text(
        String(text.dropFirst(start)), status: 206,
        headers: [("Content-Range", "bytes \(start)-\(text.utf8.count - 1)/\(text.utf8.count)")])
    }
  }

  @Test func `a body comes in pieces, from an offset on where it is asked for`() throws {
    let all = String(repeating: "0123456789", count: 100_000)
    let server = try ranged(all)
    #expect(try text(HTTPStream(HTTPRequest("GET", server.url))) == (200, all))
    #expect(try text(HTTPStream(HTTPRequest("GET", server.url), from: 999_995)) == (206, "56789"))
    #expect(try text(HTTPStream(HTTPRequest("GET", server.url), from: 1_000_000)) == (416, ""))
    #expect(server.requests.map { $0.header("range") } == [nil, "bytes=999995-", "bytes=1000000-"])
    #expect(server.requests.allSatisfy { $0.header("accept-encoding") == nil })
  }

  @Test func `of a server that gives no parts, or other parts, nothing is taken`() throws {
    let server = try FaultyServer { request in
      request.target == "/whole"
        ? .text("0123456789")
        : .text("3456789", status: 206, headers: [("Content-Range", "bytes 3-9/10")])
    }
    #expect(try text(HTTPStream(HTTPRequest("GET", "\(server.url)/whole"), from: 5)) == (200, ""))
    let failure = #expect(throws: HTTPFailure.self) {
      try text(HTTPStream(HTTPRequest("GET", server.url), from: 5))
    }
    #expect(failure?.description.contains("other bytes") == true)
  }

  @Test func `the body of a refusal is not handed on`() throws {
    let server = try FaultyServer { _ in Answer(404, body: .endless(0x61)) }
    #expect(try text(HTTPStream(HTTPRequest("GET", server.url))) == (404, ""))
  }

  @Test func `what is sent on arrives, and the range with it`() throws {
    let files = try ranged("0123456789")
    let server = try FaultyServer { _ in .redirect(to: files.url, status: 307) }
    #expect(try text(HTTPStream(HTTPRequest("GET", server.url, redirects: 1), from: 4)) == (206, "456789"))
  }

  @Test func `a cut, a limit and an error of the taker end it`() throws {
    let server = try FaultyServer { request in
      request.target == "/cut" ? Answer.text("0123456789").with(.cut(.body(4))) : Answer(body: .endless(0x61))
    }
    var taken = 0
    let cut = #expect(throws: HTTPFailure.self) {
      try HTTPStream(HTTPRequest("GET", "\(server.url)/cut")).run { taken += $0.count }
    }
    #expect(cut?.kind == .cut && taken == 4)
    let large = #expect(throws: HTTPFailure.self) {
      try text(HTTPStream(HTTPRequest("GET", server.url, largestBody: 1_000_000)))
    }
    #expect(large?.kind == .tooLarge)
    #expect(throws: Full.self) { try HTTPStream(HTTPRequest("GET", server.url)).run { _ in throw Full() } }
  }

  @Test func `one that nearly stands still is given up`() throws {
    let server = try FaultyServer { _ in
      Answer(body: .repeated(0x61, count: 1_000_000)).paced(bytes: 10, milliseconds: 100)
    }
    let start = monotonicSeconds()
    let failure = #expect(throws: HTTPFailure.self) {
      try text(HTTPStream(HTTPRequest("GET", server.url), slowest: (1000, 2)))
    }
    #expect(
      failure?.kind == .wholeTimeout
        && failure?.description.contains("fewer than 1000 bytes a second") == true)
    #expect(monotonicSeconds() - start < 60)
  }
}
