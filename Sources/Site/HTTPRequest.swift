// The head of an HTTP request: what this server needs of it.

package struct HTTPRequest: Sendable {
  package let method: String
  /// Without percent signs, from the root: `/run/20261130-101846.411218-ba85aa`.
  package let path: String
  package let query: [(name: String, value: String)]
  /// By their names in small letters.
  package let headers: [(name: String, value: String)]

  /// Of a longer head.
  static let mostBytes = 16 << 10

  /// Nil of what is no request. Source: RFC 9112, sections 2 to 5.
  package init?(head: [UInt8]) {
    let lines = String(decoding: head, as: UTF8.self).split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "\r\n" || $0 == "\n" })
    let words = (lines.first ?? "").split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, words[2].hasPrefix("HTTP/1."), words[1].hasPrefix("/") else { return nil }
    method = String(words[0])
    let parts = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = Self.decoded(parts[0]) else { return nil }
    self.path = path
    query = (parts.count > 1 ? parts[1] : "").split(separator: "&").compactMap { pair in
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decoded(sides[0]), let value = Self.decoded(sides.count > 1 ? sides[1] : "")
      else {
        return nil
      }
      return (name, value)
    }
    headers = lines.dropFirst().compactMap { line in
      let sides = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2 else { return nil }
      return (sides[0].lowercased(), String(sides[1].drop { $0 == " " || $0 == "\t" }))
    }
  }

  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

  /// Nil where it is not UTF-8, or a percent sign stands alone.
  private static func decoded(_ text: Substring) -> String? {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var place = 0
    while place < bytes.count {
      if bytes[place] == UInt8(ascii: "%") {
        guard place + 2 < bytes.count,
          let byte = UInt8(String(decoding: bytes[(place + 1)...(place + 2)], as: UTF8.self), radix: 16)
        else { return nil }
        result.append(byte)
        place += 3
      } else {
        result.append(bytes[place])
        place += 1
      }
    }
    return String(validating: result, as: UTF8.self)
  }

  /// As a part of a path.
  package static func encoded(_ text: String) -> String {
    text.utf8.map { byte in
      let isPlain =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "-._~@".utf8.contains(byte)
      let hex = String(byte, radix: 16, uppercase: true)
      return isPlain ? String(UnicodeScalar(byte)) : "%\(hex.count < 2 ? "0" : "")\(hex)"
    }.joined()
  }
}

/// What the server gives back.
package enum HTTPAnswer: Sendable {
  case whole(status: Int, type: String, body: String)
  /// Server-sent events: asked each second for a new one, nil for none, until the reader goes or it throws `EndOfEvents`.
  case events(@Sendable () throws -> String?)

  static func text(_ status: Int, _ words: String) -> HTTPAnswer {
    .whole(status: status, type: "text/plain; charset=utf-8", body: words + "\n")
  }

  static func html(_ body: String) -> HTTPAnswer {
    .whole(status: 200, type: "text/html; charset=utf-8", body: body)
  }
}

package struct EndOfEvents: Error {
  package init() {}
}
