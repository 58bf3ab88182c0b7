// A row of CSV or TSV: where its fields lie in the bytes that begin with it.

import Glibc

/// A quote opens a quoted field only where the field begins, and is itself elsewhere; in a quoted field `""` is a quote, and line ends
/// are text. A line ends with LF or CRLF, the last one with CR or nothing too.
struct SeparatedRow {
  struct Field {
    /// Without its quotes.
    let content: Range<Int>
    let isQuoted: Bool
    let hasDoubledQuotes: Bool
  }

  /// A row whose end, and so the row after it, cannot be found.
  struct Fault: Error {
    let offset: Int
    let reason: String
  }

  /// At most as many as asked for.
  private(set) var fields: [Field] = []
  private(set) var fieldCount = 0
  /// With the line end.
  private(set) var length = 0
  /// How many lines the row takes.
  private(set) var lineCount = 1
  /// Where the first carriage return stands that is neither in quotes nor before a line feed.
  private(set) var strayReturn: Int?

  var isBlank: Bool { fieldCount == 1 && fields[0].content.isEmpty && !fields[0].isQuoted }

  private static let quote = UInt8(ascii: "\"")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  /// Nil where the bytes end before the row does.
  /// - Parameters:
  ///   - isEnd: whether the text ends with them.
  ///   - limit: of fields that are asked for, at least 1.
  /// - Throws: `Fault`.
  init?(_ bytes: UnsafeRawBufferPointer, _ separator: UInt8, isEnd: Bool, fields limit: Int) throws {
    while true {
      let isQuoted = length < bytes.count && bytes[length] == Self.quote
      guard
        let field = try isQuoted ? quotedField(bytes, separator, isEnd) : plainField(bytes, separator, isEnd)
      else { return nil }
      if fieldCount < limit { fields.append(field) }
      fieldCount += 1
      guard length < bytes.count, bytes[length] == separator else { break }
      length += 1
    }
    if length < bytes.count, bytes[length] == Self.carriageReturn { length += 1 }
    if length < bytes.count { length += 1 }
  }

  /// Up to a separator or a line end, which is not taken.
  private mutating func plainField(_ bytes: UnsafeRawBufferPointer, _ separator: UInt8, _ isEnd: Bool)
    -> Field?
  {
    let start = length
    while true {
      while length < bytes.count, bytes[length] != separator, bytes[length] != Self.lineFeed,
        bytes[length] != Self.carriageReturn
      { length += 1 }
      guard length < bytes.count || isEnd else { return nil }
      guard length < bytes.count, bytes[length] == Self.carriageReturn else { break }
      guard let endsLine = endsLine(bytes, isEnd) else { return nil }
      if endsLine { break }
      if strayReturn == nil { strayReturn = length }
      length += 1
    }
    return Field(content: start..<length, isQuoted: false, hasDoubledQuotes: false)
  }

  private mutating func quotedField(_ bytes: UnsafeRawBufferPointer, _ separator: UInt8, _ isEnd: Bool) throws
    -> Field?
  {
    let start = length + 1
    var hasDoubledQuotes = false
    length = start
    while let first = bytes.baseAddress, length < bytes.count,
      let found = memchr(first + length, Int32(Self.quote), bytes.count - length)
    {
      let end = UnsafeRawPointer(found) - first
      for index in length..<end where bytes[index] == Self.lineFeed { lineCount += 1 }
      length = end + 1
      guard length < bytes.count || isEnd else { return nil }
      if length < bytes.count, bytes[length] == Self.quote {
        hasDoubledQuotes = true
        length += 1
        continue
      }
      guard let endsLine = endsLine(bytes, isEnd) else { return nil }
      guard endsLine || bytes[length] == separator else {
        throw Fault(
          offset: length, reason: "text after the closing quote; a quote inside quotes is written `\"\"`")
      }
      return Field(content: start..<end, isQuoted: true, hasDoubledQuotes: hasDoubledQuotes)
    }
    guard isEnd else { return nil }
    throw Fault(offset: start - 1, reason: "the quote that opens here is not closed")
  }

  /// Whether a line end stands at `length`; nil where the bytes end before that is known.
  private func endsLine(_ bytes: UnsafeRawBufferPointer, _ isEnd: Bool) -> Bool? {
    guard length < bytes.count else { return isEnd ? true : nil }
    if bytes[length] == Self.lineFeed { return true }
    guard bytes[length] == Self.carriageReturn else { return false }
    guard length + 1 < bytes.count else { return isEnd ? true : nil }
    return bytes[length + 1] == Self.lineFeed
  }
}
