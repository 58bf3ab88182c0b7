// Requests that are sent on: how often, with what, and where not.

import FaultyServer
import HTTP
import Testing

@Suite struct HTTPRedirectTests {
  private let headers = [
    ("Authorization", "Bearer secret"), ("x-api-key", "secret"), ("X-Anything", "secret"),
    ("Accept", "text/plain"),
  ]

  @Test func `none is followed unless it is asked for`() throws {
    let server = try FaultyServer { _ in .redirect(to: "/other") }
    let answer = try response(to: HTTPRequest("GET", server.url))
    #expect(answer.status == 302 && answer.header("location") == "/other" && server.requestCount == 1)
  }

  @Test func `to the same host the headers go along, to another host only what says what is wanted`() throws {
    let other = try FaultyServer { _ in .text("other") }
    let server = try FaultyServer { request in
      switch request.target {
      case "/a/on?x=1": .redirect(to: "../same")
      case "/away": .redirect(to: other.url + "/y")
      case "/name":
        .redirect(to: "http://localhost:\(request.header("host")?.split(separator: ":").last ?? "")/same")
      default: .text("same", headers: [("X-Last", "1")])
      }
    }
    func ask(_ place: String) throws -> HTTPResponse {
      try response(to: HTTPRequest("GET", place, headers: headers, redirects: 3))
    }
    #expect(try ask("\(server.url)/a/on?x=1").text == "same")
    let same = try #require(server.requests.last)
    #expect(same.target == "/same")
    for (name, value) in headers { #expect(same.header(name) == value) }

    #expect(try ask("\(server.url)/away").text == "other")
    let away = try #require(other.requests.last)
    #expect(away.target == "/y" && away.header("accept") == "text/plain")
    // The same server under another name is another host.
    #expect(try ask("\(server.url)/name").text == "same")
    let named = try #require(server.requests.last)
    for request in [away, named] {
      #expect(!request.headers.contains { $0.value.contains("secret") }, "\(request.headers)")
    }
  }

  @Test func `credentials that were dropped on the way do not come back`() throws {
    let other = try FaultyServer { request in
      .redirect(to: "http://127.0.0.1:\(request.target.dropFirst())/end")
    }
    let home = try FaultyServer { request in
      request.target == "/end"
        ? .text("end")
        : .redirect(to: "\(other.url)/\(request.header("host")?.split(separator: ":").last ?? "")")
    }
    #expect(try response(to: HTTPRequest("GET", home.url, headers: headers, redirects: 2)).text == "end")
    #expect(home.requests.map(\.target) == ["/", "/end"])
    for request in other.requests + home.requests.suffix(1) {
      #expect(!request.headers.contains { $0.value.contains("secret") }, "\(request.headers)")
    }
  }

  @Test func `a password in the address does not go along to another host`() throws {
    let other = try FaultyServer { _ in .text("other") }
    let server = try FaultyServer { _ in .redirect(to: other.url) }
    let url = "http://me:secret@127.0.0.1:\(server.port)/"
    #expect(try response(to: HTTPRequest("GET", url, redirects: 1)).text == "other")
    #expect(server.requests.first?.header("authorization") == "Basic bWU6c2VjcmV0")
    #expect(other.requests.first?.header("authorization") == nil)
  }

  @Test(arguments: [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
  func `a post becomes a get where browsers make it one`(status: Int, method: String) throws {
    let server = try FaultyServer { request in
      request.target == "/" ? .redirect(to: "/next", status: status) : .text(request.method + request.text)
    }
    let answer = try response(to: HTTPRequest("POST", server.url, body: .bytes([65]), redirects: 1))
    #expect(answer.text == (method == "GET" ? "GET" : "POSTA"))
  }

  @Test func `a loop ends, and so does a way to what is no http`() throws {
    let server = try FaultyServer { request in
      request.target == "/file" ? .redirect(to: "file:///etc/passwd") : .redirect(to: "/")
    }
    let loop = try #require(try failure(of: HTTPRequest("GET", server.url, redirects: 5)))
    #expect(loop.kind == .tooManyRedirects && server.requestCount == 6 && !loop.isTransient, "\(loop)")
    #expect(try failure(of: HTTPRequest("GET", "\(server.url)/file", redirects: 5))?.kind == .badAddress)
  }
}
