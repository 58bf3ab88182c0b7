// Lines of text: each a record with the one field `text`.
//
// Source: the loader `text` of the library `datasets`: a line ends with LF, CRLF or CR, and a blank line is a record too.

import JSON

struct TextFormat: DataFormat {
  static let name = "text"
  static let unit = "lines"
  /// Any text is lines: only the option `format` can say so.
  static func isRecognized(by start: [UInt8]) -> Bool { false }

  let isWhole: Bool
  private var rest: ArraySlice<UInt8>
  private var line = 0

  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  init(_ source: DataSource) throws { (rest, isWhole) = try source.bytes() }

  mutating func next() throws -> DataRecord? {
    guard !rest.isEmpty else { return nil }
    let end = rest.firstIndex { $0 == Self.lineFeed || $0 == Self.carriageReturn }
    // A line that was cut is not looked at.
    guard end != nil || isWhole else { return nil }
    let content = rest[..<(end ?? rest.endIndex)]
    rest = rest[content.endIndex...]
    if rest.first == Self.carriageReturn { rest = rest.dropFirst() }
    // CRLF is one end; a LF behind a line that ended with LF is a blank line.
    if rest.startIndex == content.endIndex || rest.first == Self.lineFeed { rest = rest.dropFirst() }
    line += 1
    guard let text = String(validating: content, as: UTF8.self) else {
      throw BadRecord(place: .line(line, column: 1), reason: "the line is not valid UTF-8")
    }
    return DataRecord(place: .line(line, column: 1), value: ["text": .string(text)])
  }
}
