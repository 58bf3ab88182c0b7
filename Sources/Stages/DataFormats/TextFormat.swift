// Lines of text: each a record with the one field `text`.
//
// Source: the loader `text` of the library `datasets`: a line ends with LF, CRLF or CR, and a blank line is a record too.

import JSON

struct TextFormat: DataFormat {
  static let name = "text"
  static let unit = "lines"
  /// Any text is lines: only the option `format` can say so.
  static func isRecognized(by start: [UInt8]) -> Bool { false }

  private let window: RecordWindow
  /// The line that is read next.
  private var line = 1

  init(_ source: DataSource) throws { window = try RecordWindow(source) }

  var isWhole: Bool { window.isWhole }
  var byteCount: Int { window.byteCount }

  mutating func next() throws -> DataRecord? {
    let place = RecordPlace.line(line, column: 1)
    var seen = 0
    while window.count > 0 || !window.isAtEnd {
      let isEnd = window.isAtEnd && window.isWhole
      let found = window.withBytes { bytes in
        Self.line(in: bytes, from: seen, isEnd).map {
          (
            text: String(validatingUTF8: UnsafeRawBufferPointer(rebasing: bytes[..<$0.content])),
            length: $0.length
          )
        }
      }
      if let found {
        window.consume(found.length)
        line += 1
        guard let text = found.text else {
          throw BadRecord(place: place, reason: "the line is not valid UTF-8")
        }
        return DataRecord(place: place, value: ["text": .string(text)])
      }
      // A line that was cut is not looked at.
      if window.isAtEnd { return nil }
      // What stands behind a carriage return at the end is not known yet.
      seen = max(0, window.count - 1)
      try window.extend(place)
    }
    return nil
  }

  /// How many bytes the first line has without its end, and with it; nil where the bytes end before the line does.
  private static func line(in bytes: UnsafeRawBufferPointer, from start: Int, _ isEnd: Bool) -> (
    content: Int, length: Int
  )? {
    let end = bytes[start...].firstIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    guard let end else { return isEnd ? (bytes.count, bytes.count) : nil }
    // CRLF is one end.
    guard bytes[end] == UInt8(ascii: "\r") else { return (end, end + 1) }
    guard end + 1 < bytes.count else { return isEnd ? (end, end + 1) : nil }
    return (end, bytes[end + 1] == UInt8(ascii: "\n") ? end + 2 : end + 1)
  }
}
