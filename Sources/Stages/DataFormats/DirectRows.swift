// Rows whose columns are fields as they stand, made of the texts of records' lines: no values are read and written again.

import JSON

/// What `RowBuilder` makes of most records with the simplest options, byte for byte. A record that is wrong, or unusual in any way, is
/// left to it.
struct DirectRows {
  /// Whether a field gives the id; otherwise it is made of all.
  private let isIDGiven: Bool
  /// What stands before the value of each column in the row.
  private let columns: [[UInt8]]
  /// Asked for the prompt, the columns and the id.
  private var members: WrittenMembers

  /// - Parameter columns: beside `id` and `prompt`, in the order in which rows have them.
  init(id: String?, prompt: String, columns: [(name: String, field: String)]) {
    isIDGiven = id != nil
    self.columns = columns.map { name, _ in
      var before = [UInt8(ascii: ",")]
      JSON.writeString(name, to: &before)
      before.append(UInt8(ascii: ":"))
      return before
    }
    members = WrittenMembers(
      [prompt] + columns.map(\.field) + [id].compactMap { $0 }, passesOthers: isIDGiven)
  }

  /// Appends the row of a record, and its canonical text where its content is hashed.
  /// - Parameters:
  ///   - line: without its end.
  ///   - number: of the line.
  /// - Returns: false for a record that is left to others; nothing was appended then.
  mutating func append(
    _ line: UnsafeRawBufferPointer, number: Int, to lines: inout DirectLines, _ contents: inout ContentHashes?
  ) -> Bool {
    guard members.read(line), let prompt = members.place(0) else { return false }
    let quote = UInt8(ascii: "\"")
    let (start, count) = (lines.bytes.count, lines.count)
    if isIDGiven {
      // As text: one that is written without escapes, or an integer.
      guard let place = members.place(1 + columns.count), var text = members.range(place) else {
        return false
      }
      if line[text.lowerBound] == quote {
        text = (text.lowerBound + 1)..<(text.upperBound - 1)
        guard !text.isEmpty, !line[text].contains(UInt8(ascii: "\\")) else { return false }
      } else {
        guard line[text].allSatisfy({ $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) }) else {
          return false
        }
      }
      lines.bytes.append(raw: UnsafeRawBufferPointer(rebasing: line[text]))
    }
    let idEnd = lines.bytes.count
    lines.bytes.append(raw: DirectRows.beforePrompt.bytes)
    switch members.firstByte(prompt, in: line) {
    case quote: members.write(prompt, of: line, to: &lines.bytes)
    case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "n"):
      lines.bytes.removeLast(lines.bytes.count - start)
      return false
    default:
      lines.bytes.append(quote)
      members.write(prompt, of: line, to: &lines.bytes)
      lines.bytes.append(quote)
    }
    for column in columns.indices {
      guard let place = members.place(1 + column) else {
        lines.bytes.removeLast(lines.bytes.count - start)
        return false
      }
      lines.bytes += columns[column]
      members.write(place, of: line, to: &lines.bytes)
    }
    lines.bytes.append(UInt8(ascii: "}"))
    lines.bytes.append(UInt8(ascii: "\n"))
    if count == 0 { lines.firstNumber = number }
    lines.ends.append((id: idEnd, row: lines.bytes.count))
    if contents != nil { contents?.add { members.writeCanonical(of: line, to: &$0) } }
    return true
  }

  private static let beforePrompt: StaticString = "\",\"prompt\":"
}

/// Rows of lines that follow each other.
struct DirectLines {
  /// Of each row its id, where it is given, and what follows an id in the row's line.
  fileprivate(set) var bytes: [UInt8] = []
  /// Where the id of each ends, and the row.
  fileprivate(set) var ends: [(id: Int, row: Int)] = []
  /// The number of the first line.
  fileprivate(set) var firstNumber = 0
  /// Of the records' contents, where they were asked for.
  var hashes: [UInt64] = []

  static let beforeID: StaticString = "{\"id\":\""

  var count: Int { ends.count }

  /// Where the record of a row stands.
  func place(_ index: Int) -> RecordPlace { .line(firstNumber + index, column: 1) }

  /// A row's id, empty where it is not given, and what follows the id.
  func withRow<T>(
    _ index: Int, _ body: (_ id: UnsafeRawBufferPointer, _ rest: UnsafeRawBufferPointer) throws -> T
  ) rethrows -> T {
    let start = index == 0 ? 0 : ends[index - 1].row
    let end = ends[index]
    return try bytes.withUnsafeBytes { bytes in
      try body(
        UnsafeRawBufferPointer(rebasing: bytes[start..<end.id]),
        UnsafeRawBufferPointer(rebasing: bytes[end.id..<end.row]))
    }
  }
}

extension StaticString {
  /// - Precondition: more than one character.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
