// Reading and writing rows and metrics as files.

import Glibc
import JSON
import System

/// Reads JSON Lines. Lines end with LF or CRLF, the last may lack its end; a byte order mark is skipped; blank lines are not
/// rows. Every row must be an object with a string `id`, unlike any other's, and the given columns.
/// - Throws: `InputError` naming `file:line:column`.
public func readRows(_ path: String, requiring columns: [String] = []) throws -> [Row] {
  try readRows(readRowFile(path), named: path, requiring: columns)
}

/// As `readRows(_:requiring:)`, for a stage that passes most columns on unread: only those that `reading` names are values. Others stay
/// texts in the form in which rows are written, so that what is written of them is the same as if they had been read; the file stays in
/// memory as long as one of its rows does. Where a line writes a column in another form, or it holds an object, it is read.
package func readRows(_ path: String, requiring columns: [String], reading names: [String]) throws -> [Row] {
  try readRows(readRowFile(path), named: path, requiring: columns, reading: names)
}

private func readRowFile(_ path: String) throws -> [UInt8] {
  try readingRowFile(path) { try File.readUserFile(path) }
}

/// What `body` gives; where the file cannot be read, the error of a file of rows.
func readingRowFile<T>(_ path: String, _ body: () throws -> T) throws -> T {
  do {
    return try body()
  } catch let error as UserFileError {
    if case .irregular(let kind) = error.cause {
      throw InputError("`\(path)` is \(kind); expected a file of rows, one JSON object per line")
    }
    throw InputError("cannot read `\(path)`: \(error.reason)")
  }
}

/// As `readRows(_:requiring:)`, from memory; `name` is what errors call it.
/// - Parameter read: the columns that become values; nil for all.
package func readRows(
  _ bytes: [UInt8], named name: String, requiring columns: [String], reading read: [String]? = nil
) throws -> [Row] {
  var lines = RowLines(named: name, requiring: columns, reading: read)
  return try lines.rows(of: bytes, upTo: bytes.count)
}

/// The rows that the lines of a file hold, which come piece by piece.
struct RowLines {
  private let name: String
  private let columns: [String]
  private let read: Set<UTF8Key>?
  /// Of each id that came, its line.
  private var lines: [UTF8Key: Int] = [:]
  private var line = 0

  init(named name: String, requiring columns: [String], reading read: [String]?) {
    self.name = name
    self.columns = columns
    self.read = read.map { Set((["id"] + $0).map(UTF8Key.init)) }
  }

  /// The rows of what comes next.
  /// - Parameter end: where the last line ends; what stands behind it is not looked at.
  mutating func rows(of bytes: [UInt8], upTo end: Int) throws -> [Row] {
    var rows: [Row] = []
    var start = line == 0 && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    while start < end {
      line += 1
      let newline = bytes.withUnsafeBytes { bytes in
        bytes.baseAddress.flatMap { first in
          memchr(first + start, 0x0A, end - start).map { UnsafeRawPointer($0) - first }
        } ?? end
      }
      var textEnd = newline
      if textEnd > start, bytes[textEnd - 1] == 0x0D { textEnd -= 1 }
      let text = bytes[start..<textEnd]
      start = newline + 1
      if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
      rows.append(try row(text))
    }
    return rows
  }

  private mutating func row(_ text: ArraySlice<UInt8>) throws -> Row {
    func fail(_ message: String) -> InputError { InputError("\(name):\(line):1: \(message)") }
    let row: Row
    do {
      if let read, let members = try JSON.members(of: text, reading: { read.contains(UTF8Key($0)) }) {
        row = Row(members: members)
      } else {
        let value = try text.withUnsafeBytes { try JSON(parsing: $0) }
        guard value.objectValue != nil else { throw fail("expected an object, found \(value.kind)") }
        row = Row(value)
      }
    } catch let error as JSONError {
      throw InputError("\(name):\(line):\(error.column): not JSON: \(error.message)")
    }
    guard let idValue = row["id"] else { throw fail("the row has no `id`") }
    guard let id = idValue.stringValue else { throw fail("`id` must be a string, found \(idValue.kind)") }
    if let earlier = lines.updateValue(line, forKey: UTF8Key(id)) {
      throw fail("the id `\(id)` is already used in line \(earlier)")
    }
    for column in columns where !row.has(column) {
      throw fail(
        "the row `\(id)` has no column `\(column)`; it has \(row.names.map { "`\($0)`" }.joined(separator: ", "))"
      )
    }
    return row
  }
}

/// Writes rows as JSON Lines, columns in their order.
/// - Throws: `NotFiniteNumber` for a number that JSON cannot hold.
public func writeRows(_ rows: [Row], to path: String) throws {
  try writeRows(to: path) { writer in
    for row in rows { try writer.append(row) }
  }
}

/// As `writeRows(_:to:)`, for rows that come one after the other.
public func writeRows<Result>(to path: String, _ body: (inout RowWriter) throws -> Result) throws -> Result {
  try writeFile(path) { file in
    var writer = RowWriter(file)
    let result = try body(&writer)
    try writer.finish()
    return result
  }
}

/// Takes rows one after the other. They become text and are written on a thread of their own, by the mebibyte, so that an error may
/// come with a later row, or at the end.
public struct RowWriter: ~Copyable {
  private let file: File
  private var lines: [Line] = []
  /// Lines behind those.
  private var text: [UInt8] = []
  /// About the bytes of the lines.
  private var byteCount = 0
  private var writing: BackgroundWork?

  private enum Line: Sendable {
    case row(Row)
    case text(ArraySlice<UInt8>)
  }

  /// SAFETY: the thread that writes takes them; nobody else has the object then.
  private final class Batch: @unchecked Sendable {
    private var lines: [Line]
    init(_ lines: [Line]) { self.lines = lines }

    func take() -> [Line] {
      defer { lines = [] }
      return lines
    }
  }

  fileprivate init(_ file: File) { self.file = file }

  /// - Throws: `NotFiniteNumber` for a number that JSON cannot hold.
  public mutating func append(_ row: Row) throws {
    try append(.row(row), row.approximateByteCount)
  }

  /// A row as `Row.write` gave it.
  package mutating func append(line: ArraySlice<UInt8>) throws { try append(.text(line), line.count) }

  /// A row whose line, with its end, `write` appends.
  package mutating func appendLine(_ write: (inout [UInt8]) -> Void) throws {
    if text.isEmpty { text.reserveCapacity(RowWriter.batchSize + 1 << 16) }
    let start = text.count
    write(&text)
    byteCount += text.count - start
    if byteCount > RowWriter.batchSize { try self.write() }
  }

  private static let batchSize = 1 << 20

  private mutating func append(_ line: Line, _ count: Int) throws {
    endText()
    lines.append(line)
    byteCount += count
    if byteCount > RowWriter.batchSize { try write() }
  }

  private mutating func endText() {
    if text.isEmpty { return }
    lines.append(.text(text[...]))
    text = []
  }

  /// Begins to write what has come, when what came before is written.
  private mutating func write() throws {
    endText()
    try writing.take()?.wait()
    let (file, batch) = (file, Batch(lines))
    lines = []
    byteCount = 0
    writing = BackgroundWork {
      // Taken, so that what they hold is freed there too.
      let lines = batch.take()
      if lines.count == 1, case .text(let text) = lines[0] {
        return try text.withUnsafeBytes { try file.writeAll($0) }
      }
      var bytes: [UInt8] = []
      bytes.reserveCapacity(3 << 19)
      for line in lines {
        switch line {
        case .row(let row): try row.write(to: &bytes)
        case .text(let text): bytes += text
        }
      }
      try bytes.withUnsafeBytes { try file.writeAll($0) }
    }
  }

  fileprivate mutating func finish() throws {
    try write()
    try writing.take()?.wait()
  }
}

/// Writes a metrics artifact: an object of numbers and series.
/// - Throws: `NotFiniteNumber` for a number that JSON cannot hold.
public func writeMetrics(_ metrics: JSON, to path: String) throws {
  try metrics.requireFiniteNumbers("the metrics hold")
  try writeFile(path) { try $0.writeAll(metrics.text(.pretty) + "\n") }
}

private func writeFile<Result>(_ path: String, _ body: (File) throws -> Result) throws -> Result {
  let file = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC)
  let result: Result
  do {
    result = try body(file)
  } catch {
    file.closeQuietly()
    throw error
  }
  try file.close()
  return result
}

/// A file that is not JSON is an input that is wrong.
extension JSONError: ErrorWithExitCode {
  package var exitCode: ExitCode { .input }
}
