// CSV and TSV: RFC 4180 with LF or CRLF, a first line of column names, every value a text.

import JSON
import Runner

struct CSVFormat: DataFormat {
  static let name = "csv"
  static let unit = "rows"
  /// Any text is CSV: only the option `format` can say so.
  static func isRecognized(by start: [UInt8]) -> Bool { false }

  private var values: SeparatedValues
  init(_ source: DataSource) throws { values = try SeparatedValues(source, separator: UInt8(ascii: ",")) }
  var isWhole: Bool { values.isWhole }
  mutating func next() throws -> DataRecord? { try values.next() }
}

struct TSVFormat: DataFormat {
  static let name = "tsv"
  static let unit = "rows"
  static func isRecognized(by start: [UInt8]) -> Bool { false }

  private var values: SeparatedValues
  init(_ source: DataSource) throws { values = try SeparatedValues(source, separator: UInt8(ascii: "\t")) }
  var isWhole: Bool { values.isWhole }
  mutating func next() throws -> DataRecord? { try values.next() }
}

/// The rows of a text whose fields are separated by one byte. A quote opens a quoted field only where the field begins, and is
/// itself elsewhere; in a quoted field `""` is a quote, and line ends are text.
private struct SeparatedValues {
  let isWhole: Bool
  private let path: String
  private let bytes: ArraySlice<UInt8>
  private let separator: UInt8
  private let end: Int
  private var header: [String] = []

  private var position: Int
  private var line = 1
  private var lineStart: Int
  /// The first fault of the row that is read.
  private var fault: BadRecord?

  private static let quote = UInt8(ascii: "\"")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  init(_ source: DataSource, separator: UInt8) throws {
    path = source.path
    self.separator = separator
    (bytes, isWhole) = try source.bytes()
    position = bytes.startIndex
    lineStart = bytes.startIndex
    let last =
      isWhole
      ? bytes.lastIndex { $0 != Self.lineFeed && $0 != Self.carriageReturn }
      : bytes.lastIndex { $0 == Self.lineFeed }
    end = last.map { $0 + 1 } ?? position
    do {
      header = try readRow()?.map(\.text) ?? []
    } catch let error as BadRecord {
      throw InputError("\(error.place.inside(path)): \(error.reason)")
    }
    var names: Set<UTF8Key> = []
    for (index, name) in header.enumerated() {
      guard !name.isEmpty else {
        throw InputError("\(path):1:1: column \(index + 1) has no name; the first line names all columns")
      }
      guard names.insert(UTF8Key(name)).inserted else {
        throw InputError("\(path):1:1: the column `\(name)` is named twice")
      }
    }
  }

  mutating func next() throws -> DataRecord? {
    let place = RecordPlace.line(line, column: 1)
    guard let fields = try readRow() else { return nil }
    if fields.count == 1, fields[0].text.isEmpty, !fields[0].isQuoted {
      throw BadRecord(place: place, reason: "a blank line; an empty text alone on a line is written `\"\"`")
    }
    guard fields.count == header.count else {
      let index = min(header.count, fields.count - 1)
      throw BadRecord(
        place: fields[index].place,
        reason: "the row has \(fields.count) fields, but the first line names \(header.count)")
    }
    let members = zip(header, fields).map { (key: $0, value: JSON.string($1.text)) }
    return DataRecord(place: place, value: .object(JSONObject(distinct: members)))
  }

  private struct Field {
    let text: String
    let isQuoted: Bool
    let place: RecordPlace
  }

  private var place: RecordPlace { .line(line, column: position - lineStart + 1) }

  /// The fields up to the end of a row; nil at the end of the text.
  private mutating func readRow() throws -> [Field]? {
    guard position < end else { return nil }
    fault = nil
    var fields: [Field] = []
    while true {
      let start = place
      let isQuoted = position < end && bytes[position] == Self.quote
      guard let content = try isQuoted ? readQuoted(start) : readUnquoted() else { return nil }
      let text = String(validating: content, as: UTF8.self)
      if text == nil, fault == nil { fault = BadRecord(place: start, reason: "the field is not valid UTF-8") }
      fields.append(Field(text: text ?? "", isQuoted: isQuoted, place: start))
      guard position < end, bytes[position] == separator else { break }
      position += 1
    }
    if position < end, bytes[position] == Self.carriageReturn { position += 1 }
    if position < end {
      position += 1
      line += 1
      lineStart = position
    }
    if let fault { throw fault }
    return fields
  }

  /// Up to a separator or a line end, which is not taken.
  private mutating func readUnquoted() -> ArraySlice<UInt8> {
    let start = position
    while position < end, bytes[position] != separator, !isLineEnd {
      if bytes[position] == Self.carriageReturn, fault == nil {
        fault = BadRecord(
          place: place, reason: "a carriage return without a line feed; inside a text it is written in quotes"
        )
      }
      position += 1
    }
    return bytes[start..<position]
  }

  /// Nil where the text was cut inside the field.
  private mutating func readQuoted(_ start: RecordPlace) throws -> ArraySlice<UInt8>? {
    position += 1
    var content: [UInt8] = []
    while position < end {
      let byte = bytes[position]
      position += 1
      if byte == Self.quote {
        guard position < end, bytes[position] == Self.quote else {
          guard position == end || bytes[position] == separator || isLineEnd else {
            throw InputError(
              "\(place.inside(path)): text after the closing quote; a quote inside quotes is written `\"\"`")
          }
          return content[...]
        }
        position += 1
      } else if byte == Self.lineFeed {
        line += 1
        lineStart = position
      }
      content.append(byte)
    }
    guard isWhole else { return nil }
    throw InputError("\(start.inside(path)): the quote that opens here is not closed")
  }

  /// Whether a line end stands here: LF or CRLF.
  private var isLineEnd: Bool {
    if bytes[position] == Self.lineFeed { return true }
    return bytes[position] == Self.carriageReturn && position + 1 < end
      && bytes[position + 1] == Self.lineFeed
  }
}
