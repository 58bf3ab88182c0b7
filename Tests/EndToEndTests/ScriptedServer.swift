// A server on loopback that answers as a test says, and keeps what it was asked.

import Glibc
import JSON
import Synchronization
import System
import Testing

final class ScriptedServer: Sendable {
  struct Request: Sendable {
    let method: String
    let target: String
    let headers: String
    let body: String

    var json: JSON { (try? JSON(parsing: Array(body.utf8))) ?? .null }
  }

  let port: UInt16
  private let socket: Int32
  private let asked = Mutex<[Request]>([])
  private let answer: @Sendable (Request, _ number: Int) -> (status: Int, body: String)?

  /// - Parameter answer: nil closes the connection without a word.
  init(_ answer: @escaping @Sendable (Request, _ number: Int) -> (status: Int, body: String)?) throws {
    self.answer = answer
    let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    socket = descriptor
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(descriptor, pointer, length) == 0 && listen(descriptor, 16) == 0
          && getsockname(descriptor, pointer, &length) == 0
      }
    }
    try #require(isBound)
    port = UInt16(bigEndian: address.sin_port)
    try startThread { [weak self] in
      while true {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0, let self else { return }
        self.serve(connection)
        close(connection)
      }
    }
  }

  deinit {
    shutdown(socket, Int32(SHUT_RDWR))
    close(socket)
  }

  var requests: [Request] { asked.withLock { $0 } }

  private func serve(_ connection: Int32) {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65536)
    var end: Int?
    var length = 0
    while end.map({ bytes.count < $0 + length }) ?? true {
      let count = recv(connection, &block, block.count, 0)
      guard count > 0 else { return }
      bytes += block[..<count]
      guard end == nil, let gap = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
      end = gap.upperBound
      let head = String(decoding: bytes[..<gap.lowerBound], as: UTF8.self)
      length = head.firstMatch(of: /(?i)content-length: ([0-9]+)/).flatMap { Int($0.output.1) } ?? 0
      if head.lowercased().contains("100-continue") {
        _ = send(connection, "HTTP/1.1 100 Continue\r\n\r\n", 25, Int32(MSG_NOSIGNAL))
      }
    }
    let head = String(decoding: bytes[..<(end ?? 0)], as: UTF8.self)
    let words = head.split(separator: " ")
    let request = Request(
      method: String(words.first ?? ""), target: words.count > 1 ? String(words[1]) : "", headers: head,
      body: String(decoding: bytes[(end ?? 0)...], as: UTF8.self))
    let number = asked.withLock { asked in
      asked.append(request)
      return asked.count
    }
    guard let (status, body) = answer(request, number) else { return }
    let text =
      "HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
    _ = send(connection, text, text.utf8.count, Int32(MSG_NOSIGNAL))
  }
}
