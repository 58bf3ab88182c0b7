// What a server answers, right or wrong.

import JSON

/// A response, or what takes its place. By default a right one, after which the connection is kept.
package struct Answer: Sendable {
  package enum Body: Sendable {
    case bytes([UInt8])
    /// Made as it is sent.
    case repeated(UInt8, count: Int)
    /// Until the other side has gone.
    case endless(UInt8)
  }

  package enum Framing: Sendable {
    case length
    /// A `Content-Length` that need not be the body's.
    case claimed(Int)
    /// Chunks of so many bytes.
    case chunked(Int)
    /// The connection's end is the body's.
    case untilEnd
  }

  /// A place in what is sent, counted in bytes.
  package enum Place: Sendable {
    /// From the first byte of the status line.
    case response(Int)
    /// From the first byte behind the head, with what chunks add.
    case body(Int)
  }

  package enum Fault: Sendable {
    /// The connection ends there.
    case cut(Place)
    /// It ends there with a reset.
    case reset(Place)
    /// Nothing more comes, and the connection stays until the other side has gone.
    case stall(Place)
  }

  /// So many bytes at a time, with a pause behind each piece.
  package struct Pace: Sendable {
    package var bytes: Int
    package var milliseconds: Int
    package init(bytes: Int, milliseconds: Int) { (self.bytes, self.milliseconds) = (bytes, milliseconds) }
  }

  package var status: Int
  package var reason = "X"
  package var headers: [(name: String, value: String)]
  package var body: Body
  package var framing = Framing.length
  /// Compresses the body; one of `.bytes` alone.
  package var isGzipped = false
  package var fault: Fault?
  /// Before the first byte.
  package var milliseconds = 0
  package var pace: Pace?
  /// The connection is kept for the next request.
  package var keepsConnection = true
  /// Sent before the head, such as `HTTP/1.1 100 Continue`.
  package var before: [UInt8] = []
  /// Sent in place of head and body.
  package var raw: [UInt8]?

  package init(
    _ status: Int = 200, headers: [(name: String, value: String)] = [], body: Body = .bytes([])
  ) { (self.status, self.headers, self.body) = (status, headers, body) }

  package static func text(
    _ text: String, status: Int = 200, headers: [(name: String, value: String)] = []
  ) -> Answer { Answer(status, headers: headers, body: .bytes(Array(text.utf8))) }

  package static func json(
    _ value: JSON, status: Int = 200, headers: [(name: String, value: String)] = []
  ) -> Answer {
    text(value.text(), status: status, headers: headers + [("Content-Type", "application/json")])
  }

  package static func redirect(to place: String, status: Int = 302) -> Answer {
    Answer(status, headers: [("Location", place)])
  }

  /// These bytes as they are; the connection ends behind them unless `keepsConnection` is set.
  package static func raw(_ bytes: [UInt8]) -> Answer {
    var answer = Answer()
    answer.raw = bytes
    answer.keepsConnection = false
    return answer
  }

  /// The connection ends without a byte.
  package static var hangUp: Answer { raw([]) }

  /// Nothing comes, and the connection stays.
  package static var silence: Answer { Answer().with(.stall(.response(0))) }

  package func with(_ fault: Fault) -> Answer {
    var answer = self
    answer.fault = fault
    return answer
  }

  package func gzipped() -> Answer {
    var answer = self
    answer.isGzipped = true
    return answer
  }

  package func framed(_ framing: Framing) -> Answer {
    var answer = self
    answer.framing = framing
    return answer
  }

  package func paced(bytes: Int, milliseconds: Int) -> Answer {
    var answer = self
    answer.pace = Pace(bytes: bytes, milliseconds: milliseconds)
    return answer
  }

  package func delayed(milliseconds: Int) -> Answer {
    var answer = self
    answer.milliseconds = milliseconds
    return answer
  }

  /// The connection ends behind it, as its head says.
  package func closing() -> Answer {
    var answer = self
    answer.keepsConnection = false
    return answer
  }
}
