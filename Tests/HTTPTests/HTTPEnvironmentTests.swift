// Proxies and certificates by the environment, each in a process with an environment of its own.

import FaultyServer
import Glibc
import HTTP
import System
import TestFolder
import Testing

@Suite struct HTTPEnvironmentTests {
  @Test(arguments: ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"])
  func `a proxy of the environment is spoken to`(_ name: String) async {
    await #expect(processExitsWith: .success) { [name] in
      let proxy = try FaultyServer { request in .text("by proxy: \(request.target)") }
      for other in ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
        unsetenv(other)
      }
      setenv(name, proxy.url, 1)
      #expect(
        try response(to: HTTPRequest("GET", "http://host.invalid/x")).text
          == "by proxy: http://host.invalid/x")
      setenv("NO_PROXY", "127.0.0.1", 1)
      let direct = try FaultyServer { _ in .text("direct") }
      #expect(try response(to: HTTPRequest("GET", direct.url)).text == "direct")
    }
  }

  @Test func `a request over TLS goes through a proxy by CONNECT, without its headers`() async {
    await #expect(processExitsWith: .success) {
      let proxy = try FaultyServer { _ in Answer(403) }
      for other in ["ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "https_proxy"] { unsetenv(other) }
      setenv("HTTPS_PROXY", proxy.url, 1)
      let request = HTTPRequest("GET", "https://host.invalid/x", headers: [("Authorization", "secret")])
      let failure = try #require(try failure(of: request))
      #expect(failure.kind == .cut || failure.kind == .other || failure.kind == .refused, "\(failure)")
      #expect(
        proxy.requests.first?.method == "CONNECT" && proxy.requests.first?.header("authorization") == nil)
    }
  }

  @Test func `a certificate that nobody vouches for is refused, and accepted where SSL_CERT_FILE holds it`()
    async throws
  {
    guard access("/usr/bin/openssl", X_OK) == 0 else {
      print("SKIPPED: there is no /usr/bin/openssl to serve TLS with; run `apt-get install openssl`")
      return
    }
    await #expect(processExitsWith: .success) {
      let server = try TLSServer()
      for name in ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"] { unsetenv(name) }
      for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] { unsetenv(name) }
      let refused = try #require(try failure(of: HTTPRequest("GET", server.url)))
      #expect(refused.kind == .tls && refused.description.contains("SSL_CERT_FILE"), "\(refused)")
      for name in ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"] {
        setenv(name, server.certificate, 1)
        #expect(try response(to: HTTPRequest("GET", server.url)).text.contains("Cipher"))
        unsetenv(name)
      }
      // A certificate is of a name.
      setenv("SSL_CERT_FILE", server.certificate, 1)
      let name = server.url.replacing("localhost", with: "127.0.0.1")
      #expect(try failure(of: HTTPRequest("GET", name))?.kind == .tls)
      server.stop()
    }
  }
}

/// `openssl s_server` with a certificate of its own for `localhost`.
private final class TLSServer {
  let url: String
  let certificate: String
  private let child: ChildProcess
  private let folder = TemporaryFolder()

  init() throws {
    certificate = "\(folder.path)/own.pem"
    let key = "\(folder.path)/key.pem"
    let environment = ChildProcess.ownEnvironment
    let made = try ChildProcess.run(
      "/usr/bin/openssl",
      arguments: [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
        "-subj",
        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
      ], environment: environment)
    try #require(made.ending == .exited(0), "\(made.output)")
    // A port that was free a moment ago.
    let other = try FaultyServer { _ in .hangUp }
    let port = other.port
    other.stop()
    usleep(100_000)
    url = "https://localhost:\(port)/"
    child = try ChildProcess.start(
      "/usr/bin/openssl",
      arguments: [
        "s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate, "-key", key, "-www", "-quiet",
      ],
      environment: environment, descriptors: [nil, nil, nil])
    // Until it listens.
    for _ in 0..<200 {
      if try !isRefused() { return }
      usleep(50_000)
    }
  }

  private func isRefused() throws -> Bool {
    guard case .failure(let failure) = try outcome(of: HTTPRequest("GET", url)) else { return false }
    return failure.kind == .refused
  }

  func stop() {
    child.send(SIGKILL)
    _ = child.ending(waiting: true)
  }
}
