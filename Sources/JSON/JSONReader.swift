// Strict JSON reading (RFC 8259): positions in every error, duplicate keys refused, depth bounded.

/// Why a text is not JSON, and where.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Offset in bytes from the start of the text.
  public let offset: Int
  /// 1-based.
  public let line: Int
  /// 1-based, in bytes.
  public let column: Int
  public let message: String
  public var description: String { "\(line):\(column): \(message)" }
}

extension JSON {
  /// Reads one JSON text. `maximumDepth` bounds nesting, since hostile text must not exhaust the stack.
  /// - Throws: `JSONError`.
  public init(parsing text: String, maximumDepth: Int = 64) throws {
    var text = text
    self = try text.withUTF8 { try JSON(parsing: UnsafeRawBufferPointer($0), maximumDepth: maximumDepth) }
  }

  /// Reads one JSON text from bytes that must be UTF-8.
  /// - Throws: `JSONError`.
  public init(parsing bytes: [UInt8], maximumDepth: Int = 64) throws {
    self = try bytes.withUnsafeBytes { try JSON(parsing: $0, maximumDepth: maximumDepth) }
  }

  /// Reads one JSON text from memory that must be UTF-8.
  /// - Throws: `JSONError`.
  public init(parsing bytes: UnsafeRawBufferPointer, maximumDepth: Int = 64) throws {
    self = try JSON.parsed(bytes, maximumDepth: maximumDepth).get()
  }

  /// The same for whoever reads millions of texts that may be wrong: an error that is thrown costs as much as such a text.
  package static func parsed(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int = 64) -> Result<
    JSON, JSONError
  > {
    var reader = JSONReader(bytes: bytes, maximumDepth: maximumDepth)
    do throws(JSONError) {
      return .success(try reader.readDocument())
    } catch {
      return .failure(error)
    }
  }
}

struct JSONReader {
  let bytes: UnsafeRawBufferPointer
  let maximumDepth: Int
  var position = 0

  init(bytes: UnsafeRawBufferPointer, maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  mutating func readDocument() throws(JSONError) -> JSON {
    let value = try readValue(depth: 0)
    try requireEnd()
    return value
  }

  mutating func requireEnd() throws(JSONError) {
    skipWhitespace()
    guard position == bytes.count else { throw error("unexpected text after the value") }
  }

  func error(_ message: String, at offset: Int? = nil) -> JSONError {
    let offset = min(offset ?? position, bytes.count)
    var line = 1
    var lineStart = 0
    for index in 0..<offset where bytes[index] == UInt8(ascii: "\n") {
      line += 1
      lineStart = index + 1
    }
    return JSONError(offset: offset, line: line, column: offset - lineStart + 1, message: message)
  }

  /// Where a value should begin, of each character from `!` to `~`: a file may have millions of them.
  private static let noValue = (0x21...0x7E).map { "expected a value, found `\(Unicode.Scalar(UInt8($0)))`" }

  var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func skipWhitespace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  mutating func readValue(depth: Int) throws(JSONError) -> JSON {
    guard depth <= maximumDepth else { throw error("nested deeper than \(maximumDepth) levels") }
    skipWhitespace()
    guard let byte = current else { throw error("expected a value, found the end of the text") }
    switch byte {
    case UInt8(ascii: "{"): return try readObject(depth: depth)
    case UInt8(ascii: "["): return try readArray(depth: depth)
    case UInt8(ascii: "\""): return .string(try readString())
    case UInt8(ascii: "t"): return try readWord("true", .bool(true))
    case UInt8(ascii: "f"): return try readWord("false", .bool(false))
    case UInt8(ascii: "n"): return try readWord("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try readNumber()
    case 0x21...0x7E: throw error(Self.noValue[Int(byte) - 0x21])
    default: throw error("expected a value, found byte 0x\(String(byte, radix: 16))")
    }
  }

  private mutating func readWord(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    let length = word.utf8CodeUnitCount
    guard position + length <= bytes.count else { throw error("expected `\(word)`") }
    for index in 0..<length where bytes[position + index] != word.utf8Start[index] {
      throw error("expected `\(word)`")
    }
    position += length
    return value
  }

  private mutating func readObject(depth: Int) throws(JSONError) -> JSON {
    let members = try readMembers { reader, _ throws(JSONError) in try reader.readValue(depth: depth + 1) }
    // Of a small object among millions of them, room for others would be most.
    return .object(JSONObject(distinct: members.count > 2 ? members : members.map { $0 }))
  }

  /// The members of the object that begins here; `readMember` reads the value behind a key.
  @inline(__always)
  mutating func readMembers<Value>(_ readMember: (inout JSONReader, String) throws(JSONError) -> Value)
    throws(JSONError)
    -> [(key: String, value: Value)]
  {
    position += 1
    var members: [(key: String, value: Value)] = []
    var seen: Set<UTF8Key> = []
    skipWhitespace()
    if current == UInt8(ascii: "}") {
      position += 1
      return []
    }
    members.reserveCapacity(8)
    while true {
      skipWhitespace()
      let keyStart = position
      guard current == UInt8(ascii: "\"") else { throw error("expected a string as key") }
      let key = try readString()
      // Most objects are small, and a set costs more than to look through them.
      let isNew: Bool
      if members.count < 8 {
        isNew = !members.contains { sameBytes($0.key, key) }
      } else {
        if seen.isEmpty { seen = Set(members.map { UTF8Key($0.key) }) }
        isNew = seen.insert(UTF8Key(key)).inserted
      }
      guard isNew else {
        throw error("duplicate key `\(key)`", at: keyStart)
      }
      skipWhitespace()
      guard current == UInt8(ascii: ":") else { throw error("expected `:` after the key `\(key)`") }
      position += 1
      members.append((key, try readMember(&self, key)))
      skipWhitespace()
      switch current {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "}"):
        position += 1
        return members
      default: throw error("expected `,` or `}`")
      }
    }
  }

  private mutating func readArray(depth: Int) throws(JSONError) -> JSON {
    position += 1
    var elements: [JSON] = []
    skipWhitespace()
    if current == UInt8(ascii: "]") {
      position += 1
      return .array([])
    }
    while true {
      elements.append(try readValue(depth: depth + 1))
      skipWhitespace()
      switch current {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "]"):
        position += 1
        return .array(elements)
      default: throw error("expected `,` or `]`")
      }
    }
  }

  private mutating func readString() throws(JSONError) -> String {
    let start = position
    position += 1
    let contentStart = position
    passPlain()
    if current == UInt8(ascii: "\"") {
      let text = try validated(UnsafeRawBufferPointer(rebasing: bytes[contentStart..<position]), start: start)
      position += 1
      return text
    }
    return try readEscaped(start: start)
  }

  /// A string that has escapes, or an error; read up to the first of them.
  private mutating func readEscaped(start: Int) throws(JSONError) -> String {
    // An escape is longer than what it stands for.
    let capacity = endOfString() - start
    let text: Result<String, JSONError> = withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 1) {
      buffer in
      do throws(JSONError) {
        return .success(try readEscaped(start: start, into: buffer))
      } catch {
        return .failure(error)
      }
    }
    return try text.get()
  }

  private mutating func readEscaped(start: Int, into buffer: UnsafeMutableRawBufferPointer)
    throws(JSONError) -> String
  {
    var count = 0
    func append(_ piece: UnsafeRawBufferPointer) {
      UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyMemory(from: piece)
      count += piece.count
    }
    append(UnsafeRawBufferPointer(rebasing: bytes[(start + 1)..<position]))
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return try validated(UnsafeRawBufferPointer(rebasing: buffer[..<count]), start: start)
      case UInt8(ascii: "\\"):
        position += 1
        for unit in UTF8.encode(try readEscape()).unsafelyUnwrapped {
          buffer[count] = unit
          count += 1
        }
      case 0..<0x20: throw error("unescaped control character in a string")
      default:
        let first = position
        passPlain()
        append(UnsafeRawBufferPointer(rebasing: bytes[first..<position]))
      }
    }
    throw error("unterminated string", at: start)
  }

  /// Where the string ends at the latest whose escapes begin at `position`.
  private func endOfString() -> Int {
    var reader = self
    while let byte = reader.current, byte != UInt8(ascii: "\""), byte >= 0x20 {
      if byte == UInt8(ascii: "\\") { reader.position = min(reader.position + 2, bytes.count) }
      reader.passPlain()
    }
    return reader.position
  }

  /// Passes what stands for itself in a string: all but quotes, backslashes and control characters.
  private mutating func passPlain() {
    let ones: UInt64 = 0x0101_0101_0101_0101
    // Eight bytes at a time. What is subtracted borrows from the byte above only where a byte is found, and the lowest one counts.
    while position <= bytes.count - 8 {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      let quotes = word ^ (ones &* 0x22)
      let backslashes = word ^ (ones &* 0x5C)
      let found =
        ((word &- (ones &* 0x20)) & ~word | (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes)
        & (ones << 7)
      guard found == 0 else {
        position += found.trailingZeroBitCount / 8
        return
      }
      position += 8
    }
    while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      position += 1
    }
  }

  private func validated(_ content: UnsafeRawBufferPointer, start: Int) throws(JSONError) -> String {
    guard let text = String(validatingUTF8: content) else {
      throw error("string is not valid UTF-8", at: firstInvalid(from: start))
    }
    return text
  }

  /// Where the first byte stands that begins no character, before `position`. (Escapes are ASCII.)
  private func firstInvalid(from start: Int) -> Int {
    var input = bytes[start..<position].makeIterator()
    var parser = Unicode.UTF8.ForwardParser()
    var offset = start
    while case .valid(let character) = parser.parseScalar(from: &input) { offset += character.count }
    return offset
  }

  private mutating func readEscape() throws(JSONError) -> Unicode.Scalar {
    guard let byte = current else { throw error("unterminated string") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try readHex()
      var scalar = first
      if (0xD800..<0xDC00).contains(first) {
        guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
          bytes[position + 1] == UInt8(ascii: "u")
        else { throw error("lone surrogate in a string") }
        position += 2
        let second = try readHex()
        guard (0xDC00..<0xE000).contains(second) else { throw error("lone surrogate in a string") }
        scalar = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
      }
      guard let unicode = Unicode.Scalar(scalar) else { throw error("lone surrogate in a string") }
      return unicode
    default: throw error("unknown escape in a string", at: position - 1)
    }
  }

  private mutating func readHex() throws(JSONError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw error("unterminated \\u escape") }
    var value: UInt32 = 0
    for _ in 0..<4 {
      let byte = bytes[position]
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: throw error("expected four hexadecimal digits after \\u")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private mutating func readNumber() throws(JSONError) -> JSON {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    guard let first = current, isDigit(first) else { throw error("expected a digit") }
    position += 1
    if first == UInt8(ascii: "0") {
      if let next = current, isDigit(next) { throw error("a number may not start with 0", at: start) }
    } else {
      skipDigits()
    }
    var isInteger = true
    var point: Int?
    if current == UInt8(ascii: ".") {
      isInteger = false
      point = position
      position += 1
      try expectDigits()
    }
    if let point, current != UInt8(ascii: "e"), current != UInt8(ascii: "E"), position - start <= 20 {
      return .double(shortDecimal(start, point: point))
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      isInteger = false
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try expectDigits()
    }
    if isInteger, position - start <= 18 { return .int(shortInteger(start)) }
    let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
    if isInteger, let value = Int64(text) { return .int(value) }
    guard let value = Double(text), value.isFinite else {
      throw error("number out of range", at: start)
    }
    return isInteger ? .largeInteger(text) : .double(value)
  }

  /// Of at most 18 digits, which fit; read up to `position`.
  private func shortInteger(_ start: Int) -> Int64 {
    var value: Int64 = 0
    for byte in bytes[start..<position] where byte != UInt8(ascii: "-") {
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    return bytes[start] == UInt8(ascii: "-") ? -value : value
  }

  /// Of at most 19 digits and a point, perhaps behind a sign; read up to `position`. Rounded to the nearest double, as any other number.
  private func shortDecimal(_ start: Int, point: Int) -> Double {
    let isNegative = bytes[start] == UInt8(ascii: "-")
    var digits: UInt64 = 0
    for index in (isNegative ? start + 1 : start)..<position where index != point {
      digits = digits * 10 + UInt64(bytes[index] - UInt8(ascii: "0"))
    }
    var divisor: UInt64 = 1
    for _ in (point + 1)..<position { divisor *= 10 }
    let value = JSONReader.quotient(digits, divisor)
    return isNegative ? -value : value
  }

  /// The double that is nearest to a quotient, of two the even one.
  /// - Precondition: the divisor is not 0.
  static func quotient(_ dividend: UInt64, _ divisor: UInt64) -> Double {
    // Both are doubles: their quotient is rounded once.
    if dividend < 1 << 53, divisor < 1 << 53 { return Double(dividend) / Double(divisor) }
    if dividend == 0 { return 0 }
    // With the upper bits set the quotient has 63 bits or 64, more than a double; its last one stands for all that follow.
    let shifts = (dividend.leadingZeroBitCount, divisor.leadingZeroBitCount)
    let (upper, lower) = (dividend << UInt64(shifts.0), divisor << UInt64(shifts.1))
    let (quotient, rest) = lower.dividingFullWidth((upper >> 1, upper << 63))
    let rounded = Double(quotient | (rest == 0 ? 0 : 1))
    return Double(sign: .plus, exponent: shifts.1 - shifts.0 - 63, significand: rounded)
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  mutating func skipDigits() {
    while position <= bytes.count - 8 {
      let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      let length = JSONReader.digitCount(UInt64(littleEndian: word))
      position += length
      if length < 8 { return }
    }
    while let byte = current, isDigit(byte) { position += 1 }
  }

  /// How many digits these eight bytes begin with, the lowest first.
  @inline(__always)
  static func digitCount(_ word: UInt64) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    // What is added carries into the byte above only from a byte that is none, and the lowest one counts.
    let others = ((word ^ (ones &* 0x30)) | ((word &+ (ones &* 0x06)) ^ (ones &* 0x30))) & (ones &* 0xF0)
    return others.trailingZeroBitCount / 8
  }

  private mutating func expectDigits() throws(JSONError) {
    guard let byte = current, isDigit(byte) else { throw error("expected a digit") }
    skipDigits()
  }
}
