// A value that nobody has read yet: its text, which is byte for byte what the writer would write.

/// The text of a value in the form in which `JSON.text()` writes it, so that it can be written again as it is. Of a list it is known
/// where each entry ends, so that entries can be counted, chosen and joined unread.
package struct JSONText: Sendable, Equatable {
  package let bytes: ArraySlice<UInt8>
  /// Of a list: where each entry ends, counted from the text's first byte; nil of any other value.
  private let ends: [UInt32]?

  init(bytes: ArraySlice<UInt8>, ends: [UInt32]?) {
    self.bytes = bytes
    self.ends = ends
  }

  package static func == (a: JSONText, b: JSONText) -> Bool { a.bytes == b.bytes }

  /// The value, read anew each time.
  package var value: JSON {
    do { return try bytes.withUnsafeBytes { try JSON(parsing: $0) } } catch {
      preconditionFailure("a text that was recognized is not JSON: \(error)")
    }
  }

  /// How many entries a list has; nil of any other value.
  package var count: Int? { ends?.count }

  /// The list with these of its entries, in this order; nil where the result is too long for a text.
  /// - Precondition: a list that has them.
  package func selecting(_ indices: [Int]) -> JSONText? {
    guard let ends else { preconditionFailure("entries of what is no list") }
    var builder = ListBuilder(capacity: bytes.count / max(1, ends.count) * indices.count)
    for index in indices { builder.append(entry(index, ends)) }
    return builder.finished()
  }

  /// The entries of this list, then those of another; nil where the result is too long for a text.
  /// - Precondition: lists.
  package func joined(with other: JSONText) -> JSONText? {
    guard let ends, let otherEnds = other.ends else { preconditionFailure("entries of what is no list") }
    var builder = ListBuilder(capacity: bytes.count + other.bytes.count)
    for index in ends.indices { builder.append(entry(index, ends)) }
    for index in otherEnds.indices { builder.append(other.entry(index, otherEnds)) }
    return builder.finished()
  }

  /// Between it and the entry before it is one comma.
  private func entry(_ index: Int, _ ends: [UInt32]) -> ArraySlice<UInt8> {
    let start = index == 0 ? 1 : Int(ends[index - 1]) + 1
    return bytes[(bytes.startIndex + start)..<(bytes.startIndex + Int(ends[index]))]
  }

  private struct ListBuilder {
    private var bytes: [UInt8] = [UInt8(ascii: "[")]
    private var ends: [UInt32] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity + 2) }

    mutating func append(_ entry: ArraySlice<UInt8>) {
      if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
      bytes += entry
      ends.append(UInt32(clamping: bytes.count))
    }

    consuming func finished() -> JSONText? {
      bytes.append(UInt8(ascii: "]"))
      return bytes.count > JSONText.longest ? nil : JSONText(bytes: bytes[...], ends: ends)
    }
  }

  /// In bytes: an entry's end fits 32 bits.
  static let longest = Int(UInt32.max)
}

/// A member's value, read or not.
package enum ReadOrText: Sendable {
  case value(JSON)
  case text(JSONText)
}

extension JSON {
  /// The members of the object that a line holds. Those that `isRead` does not name stay texts where they are written as `text()` writes
  /// them; all others are values. What is no JSON is refused just as `JSON(parsing:)` refuses it.
  /// - Returns: nil where the text is another value than an object.
  /// - Throws: `JSONError`.
  package static func members(of bytes: ArraySlice<UInt8>, reading isRead: (String) -> Bool) throws
    -> [(key: String, value: ReadOrText)]?
  {
    try bytes.withUnsafeBytes { buffer in
      var reader = JSONReader(bytes: buffer, maximumDepth: 64)
      reader.skipWhitespace()
      guard reader.current == UInt8(ascii: "{") else {
        _ = try reader.readDocument()
        return nil
      }
      let members = try reader.readMembers { reader, key throws(JSONError) in
        if !isRead(key), let (range, ends) = reader.passWritten() {
          let start = bytes.startIndex + range.lowerBound
          return ReadOrText.text(JSONText(bytes: bytes[start..<(start + range.count)], ends: ends))
        }
        return .value(try reader.readValue(depth: 1))
      }
      try reader.requireEnd()
      return members
    }
  }
}

extension JSONReader {
  mutating func passByte(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    position += 1
    return true
  }

  /// Passes a string that stands for itself and has none of the few characters that may be escaped.
  /// - Returns: what is between its quotes; nil, and any position, for any other text.
  mutating func passPlainString() -> Range<Int>? {
    guard passByte(UInt8(ascii: "\"")) else { return nil }
    let content = UnsafeRawBufferPointer(rebasing: bytes[position...]).assumingMemoryBound(to: UInt8.self)
    let length = JSON.endOfPlain(content, from: 0)
    let range = position..<(position + length)
    position += length
    guard passByte(UInt8(ascii: "\"")), isText(range) else { return nil }
    return range
  }

  private func isText(_ range: Range<Int>) -> Bool {
    let text = UnsafeRawBufferPointer(rebasing: bytes[range]).assumingMemoryBound(to: UInt8.self)
    return (try? UTF8Span(validating: text.span)) != nil
  }

  /// Passes a member's value where its text is what the writer would write for it; one that is not needed, where it is plainly right.
  /// - Returns: false, and any position, for any other text, be it right or wrong.
  mutating func passWritten(isNeeded: Bool) -> Bool {
    let start = position
    if !isNeeded, passPlainNumber() { return true }
    position = start
    return passWrittenValue(depth: 1)
  }

  /// Passes a number without an exponent that is in range because it is short.
  private mutating func passPlainNumber() -> Bool {
    if current == UInt8(ascii: "-") { position += 1 }
    let first = position
    skipDigits()
    let length = position - first
    guard length == 1 || (2..<300).contains(length) && bytes[first] != 0x30 else { return false }
    if current == UInt8(ascii: ".") {
      position += 1
      let fraction = position
      skipDigits()
      guard position > fraction else { return false }
    }
    return current != UInt8(ascii: "e") && current != UInt8(ascii: "E")
  }

  /// Passes a member's value where its text is what the writer would write for it; of a list with the ends of its entries.
  /// - Returns: nil, and passes nothing, for any other text, be it right or wrong.
  fileprivate mutating func passWritten() -> (range: Range<Int>, ends: [UInt32]?)? {
    skipWhitespace()
    let start = position
    var ends: [UInt32]? = current == UInt8(ascii: "[") ? [] : nil
    let isWritten =
      ends == nil
      ? passWrittenValue(depth: 1)
      : passWrittenList(depth: 1) { reader in
        ends?.append(UInt32(clamping: reader.position - start))
      }
    guard isWritten, position - start <= JSONText.longest else {
      position = start
      return nil
    }
    return (start..<position, ends)
  }

  private mutating func passWrittenValue(depth: Int) -> Bool {
    guard depth <= maximumDepth, let byte = current else { return false }
    switch byte {
    case UInt8(ascii: "\""): return passWrittenString()
    case UInt8(ascii: "["): return passWrittenList(depth: depth) { _ in }
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return passWrittenNumber()
    case UInt8(ascii: "n"): return passWord("null")
    case UInt8(ascii: "t"): return passWord("true")
    case UInt8(ascii: "f"): return passWord("false")
    // Its keys would have to be compared with each other.
    default: return false
    }
  }

  private mutating func passWord(_ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard position + length <= bytes.count,
      UnsafeRawBufferPointer(rebasing: bytes[position..<position + length])
        .elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: length))
    else { return false }
    position += length
    return true
  }

  @inline(__always)
  private mutating func passWrittenList(depth: Int, _ end: (JSONReader) -> Void) -> Bool {
    position += 1
    if current == UInt8(ascii: "]") {
      position += 1
      return true
    }
    while true {
      if !passShortInteger() {
        guard passWrittenValue(depth: depth + 1) else { return false }
      }
      end(self)
      switch current {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "]"):
        position += 1
        return true
      default: return false
      }
    }
  }

  /// Passes an entry of one to seven digits with another entry or the end of its list behind it, and nothing else: most entries of long
  /// lists are ids of tokens.
  @inline(__always)
  private mutating func passShortInteger() -> Bool {
    guard position <= bytes.count - 8 else { return false }
    let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
    let length = JSONReader.digitCount(UInt64(littleEndian: word))
    guard length > 0, length < 8, bytes[position] != UInt8(ascii: "0") || length == 1 else { return false }
    let next = bytes[position + length]
    guard next == UInt8(ascii: ",") || next == UInt8(ascii: "]") else { return false }
    position += length
    return true
  }

  private mutating func passWrittenNumber() -> Bool {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    let first = position
    skipDigits()
    let integerLength = position - first
    switch current {
    case UInt8(ascii: "."):
      position += 1
      skipDigits()
      let isExponential = current == UInt8(ascii: "e") || current == UInt8(ascii: "E")
      if !isExponential, isShortDecimal(first, integerLength) { return true }
    case UInt8(ascii: "e"), UInt8(ascii: "E"): break
    default:
      // Longer ones may not fit 64 bits; `-0` is written as `0`.
      guard (1...18).contains(integerLength) else { return false }
      return bytes[first] != 0x30 || position - start == 1
    }
    position = start
    guard let value = try? readValue(depth: 1) else { return false }
    let read = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    // What `write` does, without memory of its own.
    var text = if case .double(let number) = value { number.description } else { value.text() }
    return text.withUTF8 { $0.count == read.count && read.elementsEqual(UnsafeRawBufferPointer($0)) }
  }

  /// Whether digits, a point and digits, read up to `position`, are plainly how the number is written: of numbers of up to 15 digits no two
  /// are one double, so that none is shorter; those below 0.0001 are written with an exponent.
  private func isShortDecimal(_ first: Int, _ integerLength: Int) -> Bool {
    let fraction = first + integerLength + 1
    let fractionLength = position - fraction
    let isBelowOne = integerLength == 1 && bytes[first] == 0x30
    guard integerLength > 0, fractionLength > 0, (isBelowOne ? 0 : integerLength) + fractionLength <= 15,
      isBelowOne || bytes[first] != 0x30
    else { return false }
    if bytes[position - 1] == 0x30 { return fractionLength == 1 }
    return !isBelowOne || bytes[fraction..<min(position, fraction + 4)].contains { $0 != 0x30 }
  }

  private mutating func passWrittenString() -> Bool {
    position += 1
    let content = position
    while position < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[position...]).assumingMemoryBound(to: UInt8.self)
      position += JSON.endOfPlain(rest, from: 0)
      guard let byte = current else { return false }
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return isText(content..<(position - 1))
      case UInt8(ascii: "\\"): guard passWrittenEscape() else { return false }
      case 0xE2 where !isLineSeparator: position += 1
      default: return false
      }
    }
    return false
  }

  /// U+2028 and U+2029, which are written as escapes.
  private var isLineSeparator: Bool {
    position + 2 < bytes.count && bytes[position + 1] == 0x80 && bytes[position + 2] & 0xFE == 0xA8
  }

  private mutating func passWrittenEscape() -> Bool {
    guard position + 1 < bytes.count else { return false }
    switch bytes[position + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 2
      return true
    case UInt8(ascii: "u"):
      guard position + 6 <= bytes.count else { return false }
      // The writer knows how it writes the character.
      let text = [UInt8(ascii: "\"")] + bytes[position..<position + 6] + [UInt8(ascii: "\"")]
      guard let value = try? JSON(parsing: text) else { return false }
      var written: [UInt8] = []
      value.write(to: &written)
      position += 6
      return written == text
    default: return false
    }
  }
}
