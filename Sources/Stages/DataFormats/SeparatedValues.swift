// CSV and TSV: RFC 4180 with LF or CRLF, a first line of column names, every value a text.

import Experiments
import JSON
import System

struct CSVFormat: DataFormat {
  static let name = "csv"
  static let unit = "rows"
  /// Any text is CSV: only the option `format` can say so.
  static func isRecognized(by start: [UInt8]) -> Bool { false }

  private var values: SeparatedValues
  init(_ source: DataSource) throws { values = try SeparatedValues(source, separator: UInt8(ascii: ",")) }
  var isWhole: Bool { values.isWhole }
  var byteCount: Int { values.byteCount }
  mutating func next() throws -> DataRecord? { try values.next() }
}

struct TSVFormat: DataFormat {
  static let name = "tsv"
  static let unit = "rows"
  static func isRecognized(by start: [UInt8]) -> Bool { false }

  private var values: SeparatedValues
  init(_ source: DataSource) throws { values = try SeparatedValues(source, separator: UInt8(ascii: "\t")) }
  var isWhole: Bool { values.isWhole }
  var byteCount: Int { values.byteCount }
  mutating func next() throws -> DataRecord? { try values.next() }
}

/// The rows of a text whose fields are separated by one byte.
private struct SeparatedValues {
  private static let columnLimit = 1 << 16

  private let window: RecordWindow
  private let separator: UInt8
  /// Nil before the first line is read.
  private var header: [String]?
  /// The line that is read next.
  private var line = 1
  /// Blank lines with a row behind them, and that row.
  private var blank = 0..<0
  private var behind: Row?

  private struct Row {
    let line: Int
    let isBlank: Bool
    let values: [String]
    let fault: BadRecord?
  }

  init(_ source: DataSource, separator: UInt8) throws {
    window = try RecordWindow(source)
    self.separator = separator
    let first = try rowAfterBlanks()
    if let fault = first?.fault { throw InputError("\(fault.place.inside(window.path)): \(fault.reason)") }
    let names = blank.isEmpty ? first?.values ?? [] : [""]
    var seen: Set<UTF8Key> = []
    for (index, name) in names.enumerated() {
      guard !name.isEmpty else {
        throw InputError(
          "\(window.path):1:1: column \(index + 1) has no name; the first line names all columns")
      }
      guard seen.insert(UTF8Key(name)).inserted else {
        throw InputError("\(window.path):1:1: the column \(quoted(name)) is named twice")
      }
    }
    header = names
  }

  var isWhole: Bool { window.isWhole }
  var byteCount: Int { window.byteCount }

  mutating func next() throws -> DataRecord? {
    if behind == nil { behind = try rowAfterBlanks() }
    guard let row = behind, let header else { return nil }
    if let line = blank.popFirst() {
      throw BadRecord(
        place: .line(line, column: 1), reason: "a blank line; an empty text alone on a line is written `\"\"`"
      )
    }
    behind = nil
    if let fault = row.fault { throw fault }
    let members = zip(header, row.values).map { (key: $0, value: JSON.string($1)) }
    return DataRecord(place: .line(row.line, column: 1), value: .object(JSONObject(distinct: members)))
  }

  /// Blank lines at the end of the file are none.
  private mutating func rowAfterBlanks() throws -> Row? {
    let first = line
    while true {
      if passBlankLine() { continue }
      guard let row = try readRow() else { return nil }
      if row.isBlank { continue }
      blank = first..<row.line
      return row
    }
  }

  /// Whether a blank line came next whose end is at hand: the least that a file of many of them takes for each.
  private mutating func passBlankLine() -> Bool {
    let length = window.withBytes { bytes in
      if bytes.first == UInt8(ascii: "\n") { return 1 }
      return bytes.count > 1 && bytes[0] == UInt8(ascii: "\r") && bytes[1] == UInt8(ascii: "\n") ? 2 : 0
    }
    guard length > 0 else { return false }
    window.consume(length)
    line += 1
    return true
  }

  /// - Throws: `InputError` where the row, and so the one after it, has no end.
  private mutating func readRow() throws -> Row? {
    let isAll = window.isWhole
    let limit = (header?.count ?? Self.columnLimit) + 1
    while window.count > 0 || !window.isAtEnd {
      let place = RecordPlace.line(line, column: 1)
      let read = try window.withBytes { bytes in
        do {
          return try SeparatedRow(bytes, separator, isEnd: window.isAtEnd && isAll, fields: limit).map {
            (row: self.row($0, bytes), length: $0.length, lineCount: $0.lineCount)
          }
        } catch let fault as SeparatedRow.Fault {
          throw InputError("\(self.place(fault.offset, bytes).inside(window.path)): \(fault.reason)")
        }
      }
      if let read {
        window.consume(read.length)
        line += read.lineCount
        return read.row
      }
      // Of a file that was cut, what lies before the cut was good.
      if window.isAtEnd { return nil }
      try window.extend(place)
    }
    return nil
  }

  private func row(_ found: SeparatedRow, _ bytes: UnsafeRawBufferPointer) -> Row {
    var fault = found.strayReturn.map {
      BadRecord(
        place: place($0, bytes),
        reason: "a carriage return without a line feed; inside a text it is written in quotes")
    }
    var values: [String] = []
    values.reserveCapacity(found.fields.count)
    for field in found.fields {
      let text = text(of: field, bytes)
      if text == nil, fault == nil {
        fault = BadRecord(place: place(field, bytes), reason: "the field is not valid UTF-8")
      }
      values.append(text ?? "")
    }
    if let header, fault == nil, found.fieldCount != header.count {
      fault = BadRecord(
        place: place(found.fields[min(header.count, values.count - 1)], bytes),
        reason: "the row has \(found.fieldCount) fields, but the first line names \(header.count)")
    }
    if header == nil, found.fieldCount > Self.columnLimit {
      fault = BadRecord(
        place: .line(1, column: 1),
        reason: "the first line names \(found.fieldCount) columns; at most \(Self.columnLimit) are read")
    }
    return Row(line: line, isBlank: found.isBlank, values: values, fault: fault)
  }

  /// Nil where it is no UTF-8.
  private func text(of field: SeparatedRow.Field, _ bytes: UnsafeRawBufferPointer) -> String? {
    let content = UnsafeRawBufferPointer(rebasing: bytes[field.content])
    guard field.hasDoubledQuotes else {
      return String(validatingUTF8: content)
    }
    var single: [UInt8] = []
    single.reserveCapacity(content.count)
    var index = 0
    while index < content.count {
      single.append(content[index])
      index += content[index] == UInt8(ascii: "\"") ? 2 : 1
    }
    return single.withUnsafeBytes { String(validatingUTF8: $0) }
  }

  private func place(_ field: SeparatedRow.Field, _ bytes: UnsafeRawBufferPointer) -> RecordPlace {
    place(field.content.lowerBound - (field.isQuoted ? 1 : 0), bytes)
  }

  private func place(_ offset: Int, _ bytes: UnsafeRawBufferPointer) -> RecordPlace {
    var place = (line: line, start: 0)
    for index in 0..<offset where bytes[index] == UInt8(ascii: "\n") { place = (place.line + 1, index + 1) }
    return .line(place.line, column: offset - place.start + 1)
  }
}
