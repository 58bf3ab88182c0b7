// Requests and right answers: bodies, headers, kept connections, many at once.

import FaultyServer
import Glibc
import HTTP
import JSON
import Synchronization
import System
import TestFolder
import Testing

@Suite struct HTTPTransfersTests {
  @Test func `a request arrives with its method, headers and body, and nothing that was not asked for`()
    throws
  {
    let server = try FaultyServer { request in .text("got \(request.text)", headers: [("X-Answer", "b c")]) }
    let headers = [("X-One", "1"), ("x-api-key", "secret"), ("X-Empty", "")]
    let body = Array("{\"a\":1}".utf8)
    let answer = try response(
      to: HTTPRequest("POST", "\(server.url)/v1/x?q=1", headers: headers, body: .bytes(body)))
    #expect(answer.status == 200 && answer.text == "got {\"a\":1}" && answer.header("x-answer") == "b c")
    let request = try #require(server.requests.first)
    #expect(request.method == "POST" && request.target == "/v1/x?q=1")
    #expect(
      request.headers.map { "\($0.name): \($0.value)" }.sorted() == [
        "Accept-Encoding: \(request.header("accept-encoding") ?? "")", "Accept: */*", "Content-Length: 7",
        "Host: 127.0.0.1:\(server.port)", "User-Agent: plumb", "X-Empty: ", "X-One: 1", "x-api-key: secret",
      ])
  }

  @Test(arguments: ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])
  func `a method without a body is sent as it is`(_ method: String) throws {
    let server = try FaultyServer { request in .text(request.method) }
    let answer = try response(to: HTTPRequest(method, server.url))
    #expect(answer.text == (method == "HEAD" ? "" : method))
    #expect(server.requests.first?.header("content-length") == (method.hasPrefix("P") ? "0" : nil))
  }

  @Test func `a large body goes without waiting for a go-ahead`() throws {
    let server = try FaultyServer { request in .text("\(request.body.count)") }
    let body = [UInt8](repeating: 1, count: 5 << 20)
    #expect(try response(to: HTTPRequest("POST", server.url, body: .bytes(body))).text == "\(5 << 20)")
    #expect(server.requests.first?.header("expect") == nil)
  }

  @Test func `a file is sent as it lies there, also on a kept connection that was closed meanwhile`() throws {
    let folder = TemporaryFolder()
    let text = String(repeating: "line\n", count: 100_000)
    try folder.write(text, to: "body")
    // The first answer's connection is closed without a word behind it.
    let server = try FaultyServer { request in
      request.number == 1 ? Answer.text("1").with(.cut(.body(1))) : .text(request.text)
    }
    let transfers = try HTTPTransfers()
    _ = try outcome(of: HTTPRequest("GET", server.url), on: transfers).get()
    let request = HTTPRequest("PUT", "\(server.url)/x", body: .file("\(folder.path)/body"))
    #expect(try outcome(of: request, on: transfers).get().text == text)
    #expect(
      server.requests.last?.method == "PUT" && server.requests.last?.header("content-length") == "500000")
    let absent = try #require(
      try failure(of: HTTPRequest("PUT", server.url, body: .file("\(folder.path)/none"))))
    #expect(absent.description.contains("\(folder.path)/none"))
  }

  @Test func `a kept connection is used again`() throws {
    let server = try FaultyServer { _ in .text("x") }
    let transfers = try HTTPTransfers()
    for _ in 0..<20 {
      #expect(try outcome(of: HTTPRequest("GET", server.url), on: transfers).get().text == "x")
    }
    #expect(server.connectionCount == 1 && server.requestCount == 20)
  }

  @Test func `a connection that the server closes is no failure of the next request`() throws {
    let server = try FaultyServer { request in
      request.number % 2 == 1 ? .text("x").closing() : Answer.text("x").with(.cut(.body(1)))
    }
    let transfers = try HTTPTransfers()
    for _ in 0..<20 {
      #expect(try outcome(of: HTTPRequest("POST", server.url), on: transfers).get().text == "x")
    }
    #expect(server.requestCount == 20)
  }

  @Test func `gzip is asked for and expanded`() throws {
    let text = String(repeating: "words and words ", count: 10_000)
    let server = try FaultyServer { _ in Answer.text(text).gzipped() }
    #expect(try response(to: HTTPRequest("GET", server.url)).text == text)
    #expect(server.requests.first?.header("accept-encoding")?.contains("gzip") == true)
  }

  @Test(arguments: [1, 7, 100_000]) func `a chunked body is put together`(_ size: Int) throws {
    let text = String(repeating: "ab\r\nc", count: 5000)
    let server = try FaultyServer { _ in Answer.text(text).framed(.chunked(size)) }
    #expect(try response(to: HTTPRequest("GET", server.url)).text == text)
    #expect(try response(to: HTTPRequest("GET", server.url)).text == text)
  }

  @Test func `a body may end with its connection`() throws {
    let server = try FaultyServer { _ in Answer.text("all of it").framed(.untilEnd) }
    #expect(try response(to: HTTPRequest("GET", server.url)).text == "all of it")
  }

  @Test func `interim responses are passed over, and headers are those of the last`() throws {
    let server = try FaultyServer { _ in
      var answer = Answer.text("done", headers: [("X-Last", "yes")])
      answer.before = Array("HTTP/1.1 103 Early\r\nX-Early: yes\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n".utf8)
      return answer
    }
    let answer = try response(to: HTTPRequest("GET", server.url))
    #expect(answer.status == 200 && answer.text == "done" && answer.header("X-Early") == nil)
    #expect(answer.headers.map(\.name) == ["X-Last", "Content-Length"])
  }

  @Test func `a status of refusal is a response`() throws {
    let server = try FaultyServer { _ in
      .json(["error": "slow down"], status: 429, headers: [("Retry-After", "2")])
    }
    let answer = try response(to: HTTPRequest("GET", server.url))
    #expect(answer.status == 429 && answer.header("retry-after") == "2" && answer.text.contains("slow down"))
  }

  @Test func `a server on IPv6 is reached`() throws {
    let server = try FaultyServer(.ipv6) { _ in .text("six") }
    #expect(try response(to: HTTPRequest("GET", server.url)).text == "six")
  }

  @Test func `64 are under way at once, each with its own answer, in the order in which they end`() throws {
    let server = try FaultyServer { request in
      Answer.text(request.target).delayed(milliseconds: request.target == "/0" ? 1500 : 700)
    }
    let transfers = try HTTPTransfers()
    for tag in 0..<64 { transfers.start(HTTPRequest("GET", "\(server.url)/\(tag)"), tag: tag) }
    #expect(transfers.count == 64)
    var tags: [Int] = []
    while transfers.count > 0 {
      for (tag, result) in transfers.next(within: 200) {
        #expect(try result.get().text == "/\(tag)")
        tags.append(tag)
      }
    }
    #expect(tags.sorted() == Array(0..<64) && tags.last == 0)
    #expect(server.mostUnderWay == 64)
  }

  @Test func `next waits as long as it says, and not where nothing is under way`() throws {
    let server = try FaultyServer { _ in .silence }
    let transfers = try HTTPTransfers()
    var start = monotonicSeconds()
    #expect(transfers.next(within: 5000).isEmpty && monotonicSeconds() - start < 4)
    transfers.start(HTTPRequest("GET", server.url), tag: 1)
    start = monotonicSeconds()
    #expect(transfers.next(within: 300).isEmpty)
    #expect((0.29..<20).contains(monotonicSeconds() - start))
    #expect(transfers.next(within: 0).isEmpty && transfers.count == 1)
  }

  @Test func `one that is cancelled has no outcome, and its tag is free`() throws {
    let server = try FaultyServer { request in request.target == "/slow" ? .silence : .text("x") }
    let transfers = try HTTPTransfers()
    transfers.start(HTTPRequest("GET", "\(server.url)/slow"), tag: 1)
    transfers.start(HTTPRequest("GET", "\(server.url)/slow"), tag: 2)
    _ = transfers.next(within: 100)
    transfers.cancel(1)
    #expect(transfers.count == 1)
    transfers.start(HTTPRequest("GET", server.url), tag: 1)
    var tags: [Int] = []
    for _ in 0..<50 where tags.isEmpty { tags += transfers.next(within: 200).map(\.tag) }
    #expect(tags == [1] && transfers.count == 1)
    transfers.cancel(2)
    transfers.start(HTTPRequest("GET", "nonsense"), tag: 3)
    #expect(transfers.count == 1)
    transfers.cancel(3)
    #expect(transfers.count == 0 && transfers.next(within: 1000).isEmpty)
  }

  /// Not a test of time: it prints how long it took.
  @Test func `20,000 requests, 64 at once`() throws {
    let server = try FaultyServer(keepsRequests: false) { request in
      .text("{\"n\":\(request.target.dropFirst())}")
    }
    let transfers = try HTTPTransfers()
    let (count, start) = (20_000, monotonicSeconds())
    var (begun, ended) = (0, 0)
    while ended < count {
      while transfers.count < 64, begun < count {
        transfers.start(
          HTTPRequest(
            "POST", "\(server.url)/\(begun)", headers: [("Content-Type", "application/json")],
            body: .bytes([123, 125])),
          tag: begun)
        begun += 1
      }
      for (tag, result) in transfers.next(within: 200) {
        #expect(try result.get().text == "{\"n\":\(tag)}")
        ended += 1
      }
    }
    let seconds = monotonicSeconds() - start
    print("20,000 requests, 64 at once: \(Int(Double(count) / seconds)) a second")
    #expect(server.requestCount == count && server.connectionCount == 64)
  }
}
