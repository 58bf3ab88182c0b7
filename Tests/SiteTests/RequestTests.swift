// Heads of requests, right and wrong.

import Site
import Testing

@Suite struct RequestTests {
  @Test func `a head is read`() {
    let request = HTTPRequest(
      head: Array(
        "GET /run/a%20b/logs/quark%402.train?run=x&run=%C3%BC&empty HTTP/1.1\r\nHost: h\r\nX-A:  b: c".utf8))
    #expect(request?.method == "GET" && request?.path == "/run/a b/logs/quark@2.train")
    #expect(request?.query.map { "\($0.name)=\($0.value)" } == ["run=x", "run=ü", "empty="])
    #expect(request?.header("host") == "h" && request?.header("x-a") == "b: c" && request?.header("y") == nil)
  }

  @Test(arguments: [
    "", "GET", "GET / HTTP/2", "GET  / HTTP/1.1", "GET http://elsewhere/ HTTP/1.1", "GET /%zz HTTP/1.1",
    "GET /%ff HTTP/1.1", "GET /%f", "\u{0}\u{0}",
  ]) func `what is no request is none`(head: String) {
    #expect(HTTPRequest(head: Array(head.utf8)) == nil)
  }

  @Test func `an encoded part comes back`() {
    let address = "quark@2/ü %.train?#"
    let request = HTTPRequest(head: Array("GET /\(HTTPRequest.encoded(address)) HTTP/1.1".utf8))
    #expect(request?.path == "/\(address)")
  }
}
