// A server of pages for this machine alone: a thread for each reader, requests that only read, no connection kept.

import Glibc
import Synchronization
import System

/// Not of a library: those there are link libcurl into the program (FlyingFox, for its proxy) or bring SwiftNIO, and either costs the start
/// of every command more than all of this.
package final class HTTPServer: Sendable {
  private let socket: Int32
  package let port: UInt16
  private let answer: @Sendable (HTTPRequest) -> HTTPAnswer
  private let readers = Counter()

  private static let mostReaders = 64
  /// For a request to come, and for an answer to be taken.
  private static let patience = timeval(tv_sec: 10, tv_usec: 0)

  /// Listens on 127.0.0.1.
  /// - Parameter port: 0 for any that is free.
  /// - Throws: `SystemError` where the port is taken.
  package init(port: UInt16, answer: @escaping @Sendable (HTTPRequest) -> HTTPAnswer) throws {
    self.answer = answer
    (socket, self.port) = try LoopbackSocket.bind(port: port, backlog: 64)
  }

  /// Until the process ends.
  package func run() throws {
    while true {
      let connection = accept(socket, nil, nil)
      guard connection >= 0 else {
        if [EINTR, ECONNABORTED].contains(errno) { continue }
        throw SystemError("accept on", "127.0.0.1:\(port)", code: errno)
      }
      guard readers.enter(upTo: Self.mostReaders) else {
        Glibc.close(connection)
        continue
      }
      do {
        try startThread { [self] in
          serve(connection)
          Glibc.close(connection)
          readers.leave()
        }
      } catch {
        Glibc.close(connection)
        readers.leave()
      }
    }
  }

  private func serve(_ connection: Int32) {
    var patience = Self.patience
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(connection, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
    guard let head = head(connection) else { return }
    guard let request = HTTPRequest(head: head) else {
      return send(.text(400, "this is no HTTP request"), isHead: false, to: connection)
    }
    guard isOurs(request) else {
      return send(.text(403, "pages are for this machine alone"), isHead: false, to: connection)
    }
    guard ["GET", "HEAD"].contains(request.method) else {
      return send(.text(405, "nothing can be changed here"), isHead: false, to: connection)
    }
    send(answer(request), isHead: request.method == "HEAD", to: connection)
  }

  /// A page of another site that sends its readers here has another origin, and one that gave its own name this address has another host.
  private func isOurs(_ request: HTTPRequest) -> Bool {
    let hosts = ["127.0.0.1", "localhost"].map { "\($0):\(port)" }
    guard let host = request.header("host"), hosts.contains(host) else { return false }
    guard request.headers.count(where: { $0.name == "host" }) == 1 else { return false }
    return request.header("origin").map { origin in hosts.contains { origin == "http://\($0)" } } ?? true
  }

  /// Up to the empty line; nil of one that is too long or does not come.
  private func head(_ connection: Int32) -> [UInt8]? {
    var head: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 4096)
    while head.count < HTTPRequest.mostBytes {
      let count = recv(connection, &block, block.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      head += block[..<count]
      if let end = head.firstRange(of: Array("\r\n\r\n".utf8)) { return Array(head[..<end.lowerBound]) }
    }
    return nil
  }

  private static let words = [
    200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    500: "Internal Server Error",
  ]

  private func send(_ answer: HTTPAnswer, isHead: Bool, to connection: Int32) {
    func head(_ status: Int, _ type: String, _ more: String) -> String {
      "HTTP/1.1 \(status) \(Self.words[status] ?? "")\r\nContent-Type: \(type)\r\n\(more)Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n"
    }
    switch answer {
    case .whole(let status, let type, let body):
      let text = head(status, type, "Content-Length: \(body.utf8.count)\r\n")
      _ = write(isHead ? text : text + body, to: connection)
    case .events(let next):
      guard write(head(200, "text/event-stream", ""), to: connection), !isHead else { return }
      do {
        while true {
          let news = try next()
          // A line that says nothing tells whether the reader is still there.
          let text = news.map { "data: \($0.replacing("\n", with: "\ndata: "))\n\n" } ?? ":\n\n"
          guard write(text, to: connection) else { return }
          sleep(1)
        }
      } catch {
        // The last event has told.
      }
    }
  }

  private func write(_ text: String, to connection: Int32) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = Glibc.send(
          connection, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        sent += count
      }
      return true
    }
  }
}

/// How many are in.
private final class Counter: Sendable {
  private let count = Mutex(0)

  func enter(upTo most: Int) -> Bool {
    count.withLock { count in
      guard count < most else { return false }
      count += 1
      return true
    }
  }

  func leave() { count.withLock { $0 -= 1 } }
}
