// Answers that are none: cut, late, too large, or not to be had, each told apart.

import FaultyServer
import Glibc
import HTTP
import System
import TestFolder
import Testing

@Suite struct HTTPFailureTests {
  @Test(arguments: [false, true]) func `a body that is cut is no answer`(isReset: Bool) throws {
    let server = try FaultyServer { _ in
      Answer.text("0123456789").with(isReset ? .reset(.body(4)) : .cut(.body(4)))
    }
    let failure = try #require(try failure(of: HTTPRequest("GET", server.url)))
    #expect(failure.kind == .cut && failure.isTransient, "\(failure)")
  }

  @Test(arguments: [
    Answer.text("0123456789").framed(.chunked(3)).with(.cut(.body(9))), .hangUp,
    Answer.text("x").with(.cut(.response(20))), Answer.text("x").with(.reset(.response(0))),
    .raw(Array("HTTP/1.1 200 OK\r\nContent-Len".utf8)),
  ])
  func `a response that is cut anywhere is no answer`(_ answer: Answer) throws {
    let server = try FaultyServer { _ in answer }
    #expect(try failure(of: HTTPRequest("GET", server.url))?.kind == .cut)
  }

  @Test(arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc\r\n\r\n", "\u{0}\u{0}\u{0}"])
  func `what is no HTTP is no answer`(_ text: String) throws {
    let server = try FaultyServer { _ in .raw(Array(text.utf8)) }
    let kind = try failure(of: HTTPRequest("GET", server.url))?.kind
    #expect(kind == .other || kind == .cut, "\(String(describing: kind))")
  }

  @Test func `gzip that is damaged is no answer`() throws {
    let server = try FaultyServer { _ in
      .text("no gzip at all, as anyone can see", headers: [("Content-Encoding", "gzip")])
    }
    #expect(try failure(of: HTTPRequest("GET", server.url))?.kind == .other)
  }

  @Test
  func `a body that is too large is refused before it is there, also one that says nothing of its size`()
    async
  {
    // In a process of its own, whose memory is its own.
    await #expect(processExitsWith: .success) {
      let size = 100 << 20
      let server = try FaultyServer { request in
        let answer = Answer(body: .repeated(0x61, count: size))
        return request.target == "/length" ? answer : answer.framed(.chunked(1 << 16))
      }
      for target in ["/length", "/chunks"] {
        let (start, memory) = (monotonicSeconds(), peakResidentBytes())
        let failure = try #require(
          try failure(of: HTTPRequest("GET", server.url + target, largestBody: 1 << 20)))
        #expect(failure.kind == .tooLarge && failure.description.contains("1048576 bytes"), "\(failure)")
        #expect(monotonicSeconds() - start < 10 && peakResidentBytes() - memory < 32 << 20)
      }
      let whole = try response(to: HTTPRequest("GET", server.url, largestBody: size))
      #expect(whole.body.count == size)
    }
  }

  @Test func `the limit counts what gzip expands to`() throws {
    let server = try FaultyServer { _ in
      Answer(body: .bytes([UInt8](repeating: 0, count: 20 << 20))).gzipped()
    }
    #expect(try failure(of: HTTPRequest("GET", server.url, largestBody: 1 << 20))?.kind == .tooLarge)
    #expect(try response(to: HTTPRequest("GET", server.url, largestBody: 20 << 20)).body.count == 20 << 20)
  }

  @Test func `headers without end are cut off`() throws {
    let server = try FaultyServer { _ in
      .raw(Array(("HTTP/1.1 200 OK\r\n" + String(repeating: "X-Long: 0123456789\r\n", count: 200_000)).utf8))
    }
    #expect(try failure(of: HTTPRequest("GET", server.url)) != nil)
  }

  @Test func `silence is ended by the patience for the first byte, and a stall by that for the whole`() throws
  {
    let server = try FaultyServer { request in
      request.target == "/silent" ? .silence : Answer.text("0123456789").with(.stall(.body(4)))
    }
    let patience = HTTPRequest.Patience(connect: 5, firstByte: 0.4, whole: 1)
    for (target, kind, words, seconds) in [
      ("/silent", HTTPFailure.Kind.firstByteTimeout, "no byte of a response came within 400 ms", 0.4..<20),
      ("/stall", .wholeTimeout, "not complete within 1000 ms", 1..<20),
    ] {
      let start = monotonicSeconds()
      let failure = try #require(try failure(of: HTTPRequest("GET", server.url + target, patience: patience)))
      #expect(failure.kind == kind && failure.description.contains(words), "\(failure)")
      #expect(seconds.contains(monotonicSeconds() - start), "\(monotonicSeconds() - start)")
    }
    // Its bytes come one by one for longer than the patience for the first.
    let slow = try FaultyServer { _ in Answer.text("0123456789").paced(bytes: 10, milliseconds: 80) }
    #expect(
      try response(to: HTTPRequest("GET", slow.url, patience: .init(firstByte: 0.3, whole: 20))).text.count
        == 10)
  }

  @Test func `a host that takes no connection is not waited for`() throws {
    // Its queue is full: what comes after is not answered.
    let (descriptor, port) = try fullListener()
    defer { for one in descriptor { close(one) } }
    let request = HTTPRequest(
      "GET", "http://127.0.0.1:\(port)/", patience: .init(connect: 0.3, firstByte: 30, whole: 30))
    let failure = try #require(try failure(of: request))
    #expect(failure.kind == .connectTimeout && failure.isTransient, "\(failure)")
  }

  @Test func `a port without a server, and a host without an address`() throws {
    let server = try FaultyServer { _ in .text("x") }
    server.stop()
    usleep(50_000)
    #expect(try failure(of: HTTPRequest("GET", server.url))?.kind == .refused)
    #expect(try failure(of: HTTPRequest("GET", "http://no-such-host.invalid/"))?.kind == .notFound)
  }

  @Test(arguments: [
    "", "127.0.0.1:8000/v1", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://", "http://a b/",
    "http://127.0.0.1:99999/", "http://127.0.0.1/\r\nX: y", "gopher://127.0.0.1/",
  ]) func `what is no address of http is refused at once`(_ url: String) throws {
    let failure = try #require(try failure(of: HTTPRequest("GET", url)))
    #expect(failure.kind == .badAddress && !failure.isTransient, "\(failure)")
  }

  @Test func `a header cannot hold another`() throws {
    let server = try FaultyServer { _ in .text("x") }
    for (name, value) in [
      ("x-api-key", "a\r\nX-Other: b"), ("x-api-key", "a\nb"), ("x-api-key", "a\u{0}b"), ("X A", "b"),
      ("X:", "b"),
      ("", "b"), ("X\r\nY", "b"),
    ] {
      let failure = try #require(try failure(of: HTTPRequest("GET", server.url, headers: [(name, value)])))
      #expect(failure.kind == .badAddress && !failure.description.contains("X-Other"), "\(failure)")
    }
    #expect(try failure(of: HTTPRequest("GET / HTTP/1.1\r\nX: y", server.url))?.kind == .badAddress)
    #expect(server.requestCount == 0)
  }

  @Test func `no description holds a header, a password or a query`() throws {
    let server = try FaultyServer { request in
      request.target.hasPrefix("/on") ? .redirect(to: "gopher://me:swordfish@x/?swordfish") : .hangUp
    }
    for url in [
      "http://me:swordfish@127.0.0.1:\(server.port)/?key=swordfish",
      "http://me:swordfish@127.0.0.1:1/?swordfish",
      "http://me:swordfish@no.invalid/?swordfish", "gopher://me:swordfish@x/", "http://me:swordfish@[::1/",
      "http://me:swordfish@127.0.0.1:\(server.port)/on?swordfish",
    ] {
      let request = HTTPRequest("GET", url, headers: [("Authorization", "Bearer swordfish")], redirects: 1)
      let failure = try #require(try failure(of: request))
      #expect(
        !failure.description.contains("swordfish") && !failure.description.contains("me:"), "\(failure)")
    }
  }

  /// A listener that accepts nothing, with as many connections before it as it queues.
  private func fullListener() throws -> (descriptors: [Int32], port: UInt16) {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var all = [listener]
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        #expect(bind(listener, pointer, length) == 0 && listen(listener, 0) == 0)
        #expect(getsockname(listener, pointer, &length) == 0)
        for _ in 0..<4 {
          let one = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
          _ = connect(one, pointer, length)
          all.append(one)
        }
      }
    }
    return (all, UInt16(bigEndian: address.sin_port))
  }
}
