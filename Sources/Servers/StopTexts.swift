// Stop texts that a server leaves in its reply: transformers' own server ends a reply at one and keeps it there, and a server that does
// not know `stop` goes on behind it.

extension ServerReply {
  /// The text before the stop text that is complete first, as our own samples end; tokens and usage stay what was drawn and paid for.
  package func cut(before stops: [String]) -> ServerReply {
    guard finish != .refusal else { return self }
    var text = text
    let first = text.withUTF8 { bytes in
      stops.compactMap { stop in
        var wanted = stop
        let range = wanted.withUTF8 {
          UnsafeRawBufferPointer(bytes).firstRange(of: UnsafeRawBufferPointer($0), from: 0)
        }
        return range.map { (stop: stop, range: $0) }
      }
      .min {
        ($0.range.upperBound, $0.range.lowerBound) < ($1.range.upperBound, $1.range.lowerBound)
      }
    }
    guard let first else { return self }
    var reply = self
    reply.text = String(decoding: text.utf8.prefix(first.range.lowerBound), as: UTF8.self)
    reply.finish = .stop(first.stop)
    return reply
  }
}
