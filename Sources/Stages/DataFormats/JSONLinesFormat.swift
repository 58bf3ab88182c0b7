// JSON Lines: one object a line. Lines end with LF or CRLF; blank lines at the end are none.

import JSON

struct JSONLinesFormat: DataFormat {
  static let name = "jsonl"
  static let unit = "lines"

  static func isRecognized(by start: [UInt8]) -> Bool { true }

  let isWhole: Bool
  private let bytes: ArraySlice<UInt8>
  private var start: Int
  private let end: Int
  private var line = 0
  /// Said of a first line that is not JSON, where the file's name is one of another format.
  private let hint: String

  init(_ source: DataSource) throws {
    (bytes, isWhole) = try source.bytes()
    start = bytes.startIndex
    // A line that was cut is not looked at. Blank lines at the end are none; one in between may be a row that was lost.
    let last =
      isWhole ? bytes.lastIndex { !Self.isBlank($0) } : bytes.lastIndex { $0 == UInt8(ascii: "\n") }
    end = last.map { $0 + 1 } ?? start
    let endings = [(".csv", CSVFormat.name), (".tsv", TSVFormat.name), (".txt", TextFormat.name)]
    let other = endings.first { source.path.lowercased().hasSuffix($0.0) }
    hint = other.map { "; a file of this name is read with `format: \($0.1)`" } ?? ""
  }

  mutating func next() throws -> DataRecord? {
    guard start < end else { return nil }
    line += 1
    var lineEnd = bytes[start..<end].firstIndex(of: UInt8(ascii: "\n")) ?? end
    let content: ArraySlice<UInt8>
    let next = lineEnd + 1
    if lineEnd > start, bytes[lineEnd - 1] == UInt8(ascii: "\r") { lineEnd -= 1 }
    content = bytes[start..<lineEnd]
    start = next
    guard !content.allSatisfy(Self.isBlank) else { throw bad("a blank line; expected a JSON object") }
    let value: JSON
    do {
      value = try content.withUnsafeBytes { try JSON(parsing: $0) }
    } catch let error as JSONError {
      throw bad("not JSON: \(error.message)\(line == 1 ? hint : "")", column: error.column)
    }
    guard value.objectValue != nil else { throw bad("\(value.kind); expected an object") }
    return DataRecord(place: .line(line, column: 1), value: value)
  }

  private func bad(_ reason: String, column: Int = 1) -> BadRecord {
    BadRecord(place: .line(line, column: column), reason: reason)
  }

  private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
}
