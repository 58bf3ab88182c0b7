// A server on loopback that answers as a test says, faults included: many connections at once, each kept for further requests.

import Glibc
import JSON
import Synchronization
import System

package final class FaultyServer: Sendable {
  package struct Request: Sendable {
    package let method: String
    /// Path and query, as they came.
    package let target: String
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    /// From 1, over all connections.
    package let number: Int
    /// From 1, in the order in which they were accepted.
    package let connection: Int

    /// The first header of that name, whose case does not matter.
    package func header(_ name: String) -> String? {
      headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    package var text: String { String(decoding: body, as: UTF8.self) }
    /// `.null` of a body that is none.
    package var json: JSON { (try? JSON(parsing: body)) ?? .null }
  }

  package enum Family: Sendable {
    case ipv4
    case ipv6
  }

  package let family: Family
  package let port: UInt16
  private let state: ServerState

  /// - Parameters:
  ///   - keepsRequests: whether `requests` holds them, which takes memory for each.
  ///   - models: to `GET …/models`, which is not counted among the requests.
  ///   - answer: called on the connection's thread, so for several requests at once.
  /// - Throws: `SystemError` where no port can be had.
  package init(
    _ family: Family = .ipv4, keepsRequests: Bool = true, models: Answer = Answer(404),
    answer: @escaping @Sendable (Request) -> Answer
  ) throws {
    let (socket, port) = try Self.listeningSocket(family)
    (self.family, self.port) = (family, port)
    let state = ServerState(socket: socket, keepsRequests: keepsRequests, models: models, answer: answer)
    self.state = state
    try startThread { state.acceptAll() }
  }

  deinit { state.stop() }

  /// `http://127.0.0.1:8080`, without a slash behind it.
  package var url: String { family == .ipv4 ? "http://127.0.0.1:\(port)" : "http://[::1]:\(port)" }

  /// In the order of their numbers; empty unless they are kept.
  package var requests: [Request] { state.counts.withLock { $0.requests } }
  package var requestCount: Int { state.counts.withLock { $0.requestCount } }
  /// How many were accepted.
  package var connectionCount: Int { state.counts.withLock { $0.connectionCount } }
  /// How many requests are answered now.
  package var underWay: Int { state.counts.withLock { $0.underWay } }
  /// The most that were answered at once.
  package var mostUnderWay: Int { state.counts.withLock { $0.mostUnderWay } }

  /// Ends every connection and refuses new ones.
  package func stop() { state.stop() }

  private static func listeningSocket(_ family: Family) throws -> (socket: Int32, port: UInt16) {
    let descriptor = socket(
      family == .ipv4 ? AF_INET : AF_INET6,
      Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SystemError("make", "a socket", code: errno) }
    var port: UInt16 = 0
    let isBound: Bool
    switch family {
    case .ipv4:
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      isBound = bindAndListen(descriptor, &address)
      port = UInt16(bigEndian: address.sin_port)
    case .ipv6:
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_addr = in6addr_loopback
      isBound = bindAndListen(descriptor, &address)
      port = UInt16(bigEndian: address.sin6_port)
    }
    guard isBound else {
      let code = errno
      close(descriptor)
      throw SystemError("listen at", "a port on loopback", code: code)
    }
    return (descriptor, port)
  }

  /// Gives the address that was had.
  private static func bindAndListen<Address>(_ descriptor: Int32, _ address: inout Address) -> Bool {
    var length = socklen_t(MemoryLayout<Address>.size)
    return withUnsafeMutableBytes(of: &address) { bytes in
      guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
      return bind(descriptor, pointer, length) == 0 && listen(descriptor, 1024) == 0
        && getsockname(descriptor, pointer, &length) == 0
    }
  }
}

/// What the threads of a server share, which may outlive it.
final class ServerState: Sendable {
  struct Counts {
    var requests: [FaultyServer.Request] = []
    var requestCount = 0
    var connectionCount = 0
    var underWay = 0
    var mostUnderWay = 0
    /// Descriptors that are open; a thread closes its own while it holds the lock.
    var open: Set<Int32> = []
    var isStopped = false
  }

  let counts = Mutex(Counts())
  let answer: @Sendable (FaultyServer.Request) -> Answer
  private let socket: Int32
  private let keepsRequests: Bool
  let models: Answer

  init(
    socket: Int32, keepsRequests: Bool, models: Answer,
    answer: @escaping @Sendable (FaultyServer.Request) -> Answer
  ) {
    (self.socket, self.keepsRequests, self.models, self.answer) = (socket, keepsRequests, models, answer)
  }

  func acceptAll() {
    while true {
      let descriptor = accept(socket, nil, nil)
      if descriptor < 0 {
        if errno == EINTR || errno == ECONNABORTED { continue }
        break
      }
      let number = counts.withLock { counts -> Int? in
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        if counts.isStopped { return nil }
        counts.connectionCount += 1
        counts.open.insert(descriptor)
        return counts.connectionCount
      }
      guard let number else {
        close(descriptor)
        break
      }
      do {
        try startThread { [self] in
          Connection(descriptor, number: number, of: self).serve()
          end(descriptor)
        }
      } catch { end(descriptor) }
    }
    close(socket)
  }

  private func end(_ descriptor: Int32) {
    counts.withLock {
      $0.open.remove(descriptor)
      close(descriptor)
    }
  }

  func stop() {
    counts.withLock { counts in
      if counts.isStopped { return }
      counts.isStopped = true
      // Wakes the thread that accepts, which closes it.
      shutdown(socket, Int32(SHUT_RDWR))
      for descriptor in counts.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  func began(_ make: (_ number: Int) -> FaultyServer.Request) -> FaultyServer.Request {
    counts.withLock { counts in
      counts.requestCount += 1
      counts.underWay += 1
      counts.mostUnderWay = max(counts.mostUnderWay, counts.underWay)
      let request = make(counts.requestCount)
      if keepsRequests { counts.requests.append(request) }
      return request
    }
  }

  func ended() { counts.withLock { $0.underWay -= 1 } }
}
