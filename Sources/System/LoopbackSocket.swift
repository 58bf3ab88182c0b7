// A port of 127.0.0.1 for this machine alone.

import Glibc

package enum LoopbackSocket {
  /// - Parameters:
  ///   - port: 0 for any that is free.
  ///   - backlog: connections that may wait to be accepted; nil where the port is only held.
  /// - Returns: the socket, which the caller closes, and its port.
  /// - Throws: `SystemError` where the port is taken.
  package static func bind(port: UInt16 = 0, backlog: Int32?) throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
    guard descriptor >= 0 else { throw SystemError("make", "a socket", code: errno) }
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        Glibc.bind(descriptor, pointer, length) == 0
          && (backlog.map { listen(descriptor, $0) == 0 } ?? true)
          && getsockname(descriptor, pointer, &length) == 0
      }
    }
    guard isBound else {
      let code = errno
      close(descriptor)
      throw SystemError("listen on", "127.0.0.1:\(port)", code: code)
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }
}
