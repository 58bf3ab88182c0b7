// JSON Lines: one object a line. Lines end with LF or CRLF; blank lines at the end are none.

import Glibc
import JSON

struct JSONLinesFormat: DataFormat {
  static let name = "jsonl"
  static let unit = "lines"

  static func isRecognized(by start: [UInt8]) -> Bool { true }

  private let window: RecordWindow
  /// The line that is read next.
  private var line = 1
  /// Blank lines with a record behind them, and the length of its line: each may be a row that was lost.
  private var lost = 0..<0
  private var ahead: Int?
  /// Said of a first line that is not JSON, where the file's name is one of another format.
  private let hint: String

  init(_ source: DataSource) throws {
    window = try RecordWindow(source)
    hint =
      DataFileName.format(of: source.path).map { "; a file of this name is read with `format: \($0)`" } ?? ""
  }

  var isWhole: Bool { window.isWhole }
  var byteCount: Int { window.byteCount }

  mutating func next() throws -> DataRecord? {
    if ahead == nil { try passBlankLines() }
    guard let length = ahead else { return nil }
    if let line = lost.popFirst() { throw bad("a blank line; expected a JSON object", line: line) }
    ahead = nil
    let line = self.line
    defer { pass(length) }
    let value: JSON
    let read = window.withBytes {
      JSON.parsed(UnsafeRawBufferPointer(rebasing: $0[..<content(length, of: $0)]))
    }
    switch read {
    case .success(let found): value = found
    case .failure(let error):
      throw BadRecord(
        place: .line(line, column: error.column), before: "not JSON: ", reason: error.message,
        behind: line == 1 ? hint : "")
    }
    guard value.objectValue != nil else {
      throw BadRecord(
        place: .line(line, column: 1), reason: value.kind, behind: "; expected an object")
    }
    return DataRecord(place: .line(line, column: 1), value: value)
  }

  mutating func appendLines(
    _ rows: inout DirectRows, to lines: inout DirectLines, _ contents: inout ContentHashes?
  ) throws {
    while lines.bytes.count < RecordsAhead.batchSize {
      if ahead == nil { try passBlankLines() }
      guard let length = ahead, lost.isEmpty else { return }
      let number = line
      let isTaken = window.withBytes { bytes in
        rows.append(
          UnsafeRawBufferPointer(rebasing: bytes[..<content(length, of: bytes)]), number: number, to: &lines,
          &contents)
      }
      guard isTaken else { return }
      ahead = nil
      pass(length)
    }
  }

  private mutating func passBlankLines() throws {
    let first = line
    while let length = try lineLength() {
      guard isBlank(length) else {
        lost = first..<line
        ahead = length
        return
      }
      pass(length)
    }
  }

  /// With its end; nil after the last. A line that was cut is none.
  private func lineLength() throws -> Int? {
    var seen = 0
    while true {
      if let length = window.length(to: UInt8(ascii: "\n"), from: seen) { return length }
      seen = window.count
      if window.isAtEnd { return window.isWhole && seen > 0 ? seen : nil }
      try window.extend(.line(line, column: 1))
    }
  }

  private mutating func pass(_ length: Int) {
    window.consume(length)
    line += 1
  }

  private func isBlank(_ length: Int) -> Bool {
    window.withBytes { $0[..<length].allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) } }
  }

  /// The line without its end.
  private func content(_ length: Int, of bytes: UnsafeRawBufferPointer) -> Int {
    var end = length
    for byte in [UInt8(ascii: "\n"), UInt8(ascii: "\r")] where end > 0 && bytes[end - 1] == byte { end -= 1 }
    return end
  }

  private func bad(_ reason: String, line: Int) -> BadRecord {
    BadRecord(place: .line(line, column: 1), reason: reason)
  }
}
