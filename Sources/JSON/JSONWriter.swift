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
    var output = String()
    write(to: &output, style, level: 0)
    return output
  }

  private func write(to output: inout String, _ style: JSONStyle, level: Int) {
    switch self {
    case .null: output += "null"
    case .bool(let value): output += value ? "true" : "false"
    case .int(let value): output += String(value)
    case .double(let value):
      precondition(value.isFinite, "JSON cannot hold \(value)")
      output += "\(value)"
    case .string(let value): JSON.writeString(value, to: &output)
    case .array(let elements):
      output += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { output += "," }
        if style == .pretty { JSON.newline(&output, level + 1) }
        element.write(to: &output, style, level: level + 1)
      }
      if style == .pretty, !elements.isEmpty { JSON.newline(&output, level) }
      output += "]"
    case .object(let object):
      var members = object.members
      if style == .canonical {
        members.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      }
      output += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { output += "," }
        if style == .pretty { JSON.newline(&output, level + 1) }
        JSON.writeString(member.key, to: &output)
        output += style == .pretty ? ": " : ":"
        member.value.write(to: &output, style, level: level + 1)
      }
      if style == .pretty, !members.isEmpty { JSON.newline(&output, level) }
      output += "}"
    }
  }

  private static func newline(_ output: inout String, _ level: Int) {
    output += "\n"
    for _ in 0..<level { output += "  " }
  }

  private static func writeString(_ value: String, to output: inout String) {
    output += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case "\u{0}"..<"\u{20}", "\u{7F}", "\u{2028}", "\u{2029}":
        let hex = String(scalar.value, radix: 16)
        output += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: output.unicodeScalars.append(scalar)
      }
    }
    output += "\""
  }
}
