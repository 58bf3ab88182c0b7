// JSON writing: compact, pretty, and one canonical form whose bytes may be hashed.

/// How JSON is laid out.
public enum JSONStyle: Sendable {
  /// One line, members in their own order.
  case compact
  /// Two spaces a level, members in their own order.
  case pretty
  /// One line, members sorted by the UTF-8 bytes of their keys: equal values give equal bytes.
  case canonical
}

extension JSON {
  /// The value as text without a final newline. Numbers are written in the shortest form that reads back
  /// to the same value. A number that is not finite has no JSON form and is a programmer error here.
  public func text(_ style: JSONStyle = .compact) -> String {
    var output: [UInt8] = []
    output.reserveCapacity(256)
    write(to: &output, style, level: 0)
    return String(decoding: output, as: UTF8.self)
  }

  private func write(to output: inout [UInt8], _ style: JSONStyle, level: Int) {
    switch self {
    case .null: output += "null".utf8
    case .bool(let value): output += (value ? "true" : "false").utf8
    case .int(let value): output += String(value).utf8
    case .largeInteger(let digits): output += digits.utf8
    case .double(let value):
      precondition(value.isFinite, "JSON cannot hold \(value)")
      output += "\(value)".utf8
    case .string(let value): JSON.writeString(value, to: &output)
    case .array(let elements):
      output.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        if style == .pretty { JSON.newline(&output, level + 1) }
        element.write(to: &output, style, level: level + 1)
      }
      if style == .pretty, !elements.isEmpty { JSON.newline(&output, level) }
      output.append(UInt8(ascii: "]"))
    case .object(let object):
      var members = object.members
      if style == .canonical {
        members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      }
      output.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        if style == .pretty { JSON.newline(&output, level + 1) }
        JSON.writeString(member.key, to: &output)
        output.append(UInt8(ascii: ":"))
        if style == .pretty { output.append(0x20) }
        member.value.write(to: &output, style, level: level + 1)
      }
      if style == .pretty, !members.isEmpty { JSON.newline(&output, level) }
      output.append(UInt8(ascii: "}"))
    }
  }

  private static func newline(_ output: inout [UInt8], _ level: Int) {
    output.append(0x0A)
    for _ in 0..<level {
      output.append(0x20)
      output.append(0x20)
    }
  }

  private static func writeString(_ value: String, to output: inout [UInt8]) {
    var value = value
    output.append(UInt8(ascii: "\""))
    value.withUTF8 { bytes in
      // Most strings hold nothing that is escaped; 0xE2 begins the line separators, and much else.
      let isPlain = bytes.allSatisfy { byte in
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != 0x7F
          && byte != 0xE2
      }
      if isPlain { output.append(contentsOf: bytes) } else { writeEscaped(bytes, to: &output) }
    }
    output.append(UInt8(ascii: "\""))
  }

  private static func writeEscaped(_ bytes: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\"": output += "\\\"".utf8
      case "\\": output += "\\\\".utf8
      case "\n": output += "\\n".utf8
      case "\r": output += "\\r".utf8
      case "\t": output += "\\t".utf8
      case "\u{0}"..<"\u{20}", "\u{7F}", "\u{2028}", "\u{2029}":
        let hex = String(scalar.value, radix: 16)
        output += "\\u".utf8
        for _ in hex.utf8.count..<4 { output.append(UInt8(ascii: "0")) }
        output += hex.utf8
      default: output += String(scalar).utf8
      }
    }
  }
}
