// One connection of a faulty server: requests read one after the other, and answers written with their faults.

import CompressedData
import Glibc

struct Connection {
  private let descriptor: Int32
  private let number: Int
  private let server: ServerState

  init(_ descriptor: Int32, number: Int, of server: ServerState) {
    (self.descriptor, self.number, self.server) = (descriptor, number, server)
    // Of a head and a body sent apart the second would wait for the other side's acknowledgement.
    var yes: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Until the other side has gone or an answer ends it.
  func serve() {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      var end: Int?
      while true {
        end = headEnd(bytes)
        if end != nil { break }
        let count = recv(descriptor, &block, block.count, 0)
        guard count > 0 else { return }
        bytes += block[..<count]
      }
      guard let end, let head = Head(bytes[..<end]) else { return }
      let length = head.value("content-length").flatMap { Int($0) } ?? 0
      if head.value("expect") != nil { _ = send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
      while bytes.count < end + length {
        let count = recv(descriptor, &block, block.count, 0)
        guard count > 0 else { return }
        bytes += block[..<count]
      }
      let body = Array(bytes[end..<(end + length)])
      bytes.removeSubrange(..<(end + length))
      // Whether a server says what is loaded is asked beside what tests count.
      if head.method == "GET", head.target.hasSuffix("/models") {
        let list = FaultyServer.Request(
          method: head.method, target: head.target, headers: head.headers, body: body, number: 0,
          connection: number)
        guard write(server.models, to: list) else { return }
        continue
      }
      let request = server.began { number in
        FaultyServer.Request(
          method: head.method, target: head.target, headers: head.headers, body: body, number: number,
          connection: self.number)
      }
      let isKept = write(server.answer(request), to: request)
      server.ended()
      guard isKept else { return }
    }
  }

  /// Behind the empty line.
  private func headEnd(_ bytes: [UInt8]) -> Int? {
    var index = 3
    while index < bytes.count {
      if bytes[index] == 10, bytes[index - 1] == 13, bytes[index - 2] == 10, bytes[index - 3] == 13 {
        return index + 1
      }
      index += 1
    }
    return nil
  }

  /// Whether another request may follow.
  private func write(_ answer: Answer, to request: FaultyServer.Request) -> Bool {
    if answer.milliseconds > 0 { usleep(UInt32(answer.milliseconds) * 1000) }
    var body = answer.body
    var head = answer.before
    if let raw = answer.raw {
      head += raw
      body = .bytes([])
    } else {
      var headers = answer.headers
      if answer.isGzipped, case .bytes(let bytes) = body {
        body = .bytes(CompressedData.gzip(bytes))
        headers.append(("Content-Encoding", "gzip"))
      }
      switch (answer.framing, body) {
      case (.claimed(let count), _): headers.append(("Content-Length", "\(count)"))
      case (.chunked, _): headers.append(("Transfer-Encoding", "chunked"))
      case (.length, .bytes(let bytes)): headers.append(("Content-Length", "\(bytes.count)"))
      case (.length, .repeated(_, let count)): headers.append(("Content-Length", "\(count)"))
      case (.length, .endless), (.untilEnd, _): break
      }
      if !answer.keepsConnection { headers.append(("Connection", "close")) }
      var text = "HTTP/1.1 \(answer.status) \(answer.reason)\r\n"
      for (name, value) in headers { text += "\(name): \(value)\r\n" }
      head += Array((text + "\r\n").utf8)
    }
    let hasBody = request.method != "HEAD"
    var wire = Wire(descriptor, answer, headCount: head.count)
    // One packet where it can be one.
    if hasBody, case .bytes(let bytes) = body, case .length = answer.framing, bytes.count < 1 << 16 {
      guard wire.send(head + bytes) else { return false }
    } else {
      guard wire.send(head) else { return false }
      if hasBody, answer.raw == nil, !write(body, answer.framing, to: &wire) { return false }
    }
    if wire.isFaulty { return wire.strike() }
    if answer.keepsConnection, case .untilEnd = answer.framing { return false }
    return answer.keepsConnection
  }

  private func write(_ body: Answer.Body, _ framing: Answer.Framing, to wire: inout Wire) -> Bool {
    let block: [UInt8]
    var left: Int
    switch body {
    case .bytes(let bytes): (block, left) = (bytes, bytes.count)
    case .repeated(let byte, let count):
      (block, left) = ([UInt8](repeating: byte, count: min(count, 1 << 16)), count)
    case .endless(let byte): (block, left) = ([UInt8](repeating: byte, count: 1 << 16), .max)
    }
    var piece = block.count
    var isChunked = false
    if case .chunked(let count) = framing {
      piece = max(1, min(piece, count))
      isChunked = true
    }
    // Of bytes each is sent once; of a block made up, the block again and again.
    var start = 0
    while left > 0, !block.isEmpty {
      let count = min(piece, left, block.count - start)
      let bytes = block[start..<(start + count)]
      let framed =
        isChunked ? Array("\(String(count, radix: 16))\r\n".utf8) + bytes + [13, 10] : Array(bytes)
      guard wire.send(framed) else { return false }
      start += count
      if start == block.count { start = 0 }
      if left != .max { left -= count }
    }
    return isChunked ? wire.send(Array("0\r\n\r\n".utf8)) : true
  }

  private func send(_ bytes: [UInt8]) -> Bool {
    Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }
}

/// Method, target and headers.
private struct Head {
  let method: String
  let target: String
  let headers: [(name: String, value: String)]

  init?(_ bytes: ArraySlice<UInt8>) {
    var lines = bytes.split(separator: 10).map { $0.last == 13 ? $0.dropLast() : $0 }.makeIterator()
    guard let first = lines.next() else { return nil }
    let words = first.split(separator: 32)
    guard words.count == 3 else { return nil }
    method = String(decoding: words[0], as: UTF8.self)
    target = String(decoding: words[1], as: UTF8.self)
    var headers: [(name: String, value: String)] = []
    while let line = lines.next() {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      headers.append(
        (
          String(decoding: line[..<colon], as: UTF8.self),
          String(decoding: line[(colon + 1)...].drop { $0 == 32 }, as: UTF8.self)
        ))
    }
    self.headers = headers
  }

  func value(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
}

/// Counts what is sent, and strikes at the place of the fault.
private struct Wire {
  private let descriptor: Int32
  private let pace: Answer.Pace?
  private let fault: Answer.Fault?
  /// Bytes that may still be sent before the fault.
  private var left = Int.max

  init(_ descriptor: Int32, _ answer: Answer, headCount: Int) {
    (self.descriptor, pace, fault) = (descriptor, answer.pace, answer.fault)
    func count(_ place: Answer.Place) -> Int {
      switch place {
      case .response(let count): count
      case .body(let count): headCount + count
      }
    }
    switch answer.fault {
    case .cut(let place), .reset(let place), .stall(let place): left = count(place)
    case nil: break
    }
  }

  var isFaulty: Bool { fault != nil }

  /// False when the connection is not to be used any more.
  mutating func send(_ bytes: [UInt8]) -> Bool {
    let count = min(bytes.count, left)
    guard sendAll(bytes[..<count]) else { return false }
    if left == .max { return true }
    left -= count
    return left > 0 || strike()
  }

  /// Does what the fault says; false, since nothing follows it.
  func strike() -> Bool {
    switch fault {
    case .stall:
      // Ends when the other side goes, or the server.
      var block = [UInt8](repeating: 0, count: 4096)
      while recv(descriptor, &block, block.count, 0) > 0 {}
    case .reset:
      var now = linger(l_onoff: 1, l_linger: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    case .cut, nil: break
    }
    return false
  }

  private func sendAll(_ bytes: ArraySlice<UInt8>) -> Bool {
    var offset = bytes.startIndex
    while offset < bytes.endIndex {
      let piece = min(bytes.endIndex - offset, pace.map { max(1, $0.bytes) } ?? .max)
      let count = bytes[offset..<(offset + piece)].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      offset += count
      if let pace { usleep(UInt32(pace.milliseconds) * 1000) }
    }
    return true
  }
}
