// JSON writing: compact, pretty, and one canonical form whose bytes may be hashed.

import Glibc

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
    write(to: &output, style)
    return String(decoding: output, as: UTF8.self)
  }

  /// Appends what `text` gives.
  package func write(to output: inout [UInt8], _ style: JSONStyle = .compact, level: Int = 0) {
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
      let members = object.members
      output.append(UInt8(ascii: "{"))
      JSON.inOrder(members, isSorted: style == .canonical) { place, index in
        if place > 0 { output.append(UInt8(ascii: ",")) }
        if style == .pretty { JSON.newline(&output, level + 1) }
        JSON.writeString(members[index].key, to: &output)
        output.append(UInt8(ascii: ":"))
        if style == .pretty { output.append(0x20) }
        members[index].value.write(to: &output, style, level: level + 1)
      }
      if style == .pretty, !members.isEmpty { JSON.newline(&output, level) }
      output.append(UInt8(ascii: "}"))
    }
  }

  /// Calls `body` with each place in the order that is asked for, and the index of the member that stands there.
  private static func inOrder(
    _ members: [JSONObject.Member], isSorted: Bool, _ body: (_ place: Int, _ index: Int) -> Void
  ) {
    guard isSorted, members.count > 1 else {
      for index in members.indices { body(index, index) }
      return
    }
    guard members.count <= 16 else {
      let order = members.indices.sorted { precedes(members[$0].key, members[$1].key) }
      for (place, index) in order.enumerated() { body(place, index) }
      return
    }
    // Most objects are small: their order needs no memory of its own.
    withUnsafeTemporaryAllocation(of: Int.self, capacity: members.count) { order in
      for index in members.indices {
        var place = index
        while place > 0, precedes(members[index].key, members[order[place - 1]].key) {
          order[place] = order[place - 1]
          place -= 1
        }
        order[place] = index
      }
      for place in members.indices { body(place, order[place]) }
    }
  }

  private static func newline(_ output: inout [UInt8], _ level: Int) {
    output.append(0x0A)
    for _ in 0..<level {
      output.append(0x20)
      output.append(0x20)
    }
  }

  package static func writeString(_ value: String, to output: inout [UInt8]) {
    var value = value
    output.append(UInt8(ascii: "\""))
    value.withUTF8 { bytes in
      var start = 0
      while start < bytes.count {
        let end = endOfPlain(bytes, from: start)
        output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<end]))
        start = end < bytes.count ? writeEscape(bytes, at: end, to: &output) : end
      }
    }
    output.append(UInt8(ascii: "\""))
  }

  /// Where the first byte stands at `start` or behind it that may have to be escaped: a quote, a backslash, a control character, 0x7F, or
  /// 0xE2, which begins the line separators and much else.
  static func endOfPlain(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    let words = UnsafeRawBufferPointer(bytes)
    let ones: UInt64 = 0x0101_0101_0101_0101
    var index = start
    // Eight bytes at a time, as `JSONReader.passPlain` does.
    while index <= bytes.count - 8 {
      let word = UInt64(littleEndian: words.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      var found = (word &- (ones &* 0x20)) & ~word
      for byte: UInt64 in [0x22, 0x5C, 0x7F, 0xE2] {
        let same = word ^ (ones &* byte)
        found |= (same &- ones) & ~same
      }
      found &= ones << 7
      guard found == 0 else { return index + found.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < bytes.count {
      switch bytes[index] {
      case 0..<0x20, 0x22, 0x5C, 0x7F, 0xE2: return index
      default: index += 1
      }
    }
    return index
  }

  /// - Returns: where what follows begins.
  private static func writeEscape(
    _ bytes: UnsafeBufferPointer<UInt8>, at index: Int, to output: inout [UInt8]
  )
    -> Int
  {
    let byte = bytes[index]
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
    case UInt8(ascii: "\n"): output += "\\n".utf8
    case UInt8(ascii: "\r"): output += "\\r".utf8
    case UInt8(ascii: "\t"): output += "\\t".utf8
    case 0xE2:
      // U+2028 and U+2029.
      guard index + 2 < bytes.count, bytes[index + 1] == 0x80, bytes[index + 2] & 0xFE == 0xA8 else {
        output.append(byte)
        break
      }
      output += "\\u202\(bytes[index + 2] - 0xA0)".utf8
      return index + 3
    default: output += "\\u00\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16))".utf8
    }
    return index + 1
  }
}

/// By UTF-8 bytes.
private func precedes(_ a: String, _ b: String) -> Bool {
  let isBefore = a.utf8.withContiguousStorageIfAvailable { a in
    b.utf8.withContiguousStorageIfAvailable { b in
      guard let first = a.baseAddress, let second = b.baseAddress else { return a.isEmpty && !b.isEmpty }
      let order = memcmp(first, second, min(a.count, b.count))
      return order == 0 ? a.count < b.count : order < 0
    }
  }
  return (isBefore ?? nil) ?? a.utf8.lexicographicallyPrecedes(b.utf8)
}
