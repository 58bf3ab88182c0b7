// The elements of a JSON array, one after the other, from text that may come in pieces: no more than one of them is a value at a time.

/// Reads the text of one array.
package struct JSONElements {
  package struct Element {
    /// 1-based.
    package let line: Int
    /// 1-based, in bytes.
    package let column: Int
    package let value: JSON
  }

  package enum Step {
    case element(Element)
    /// Nothing but blanks follows the array.
    case end
    /// More text is needed to say what comes next.
    case incomplete
  }

  private enum State { case start, between, end }

  private let maximumDepth: Int
  private var state = State.start
  /// Of what is read next; 1-based.
  package private(set) var line = 1
  package private(set) var column = 1

  /// No error depends on more bytes than these behind the place to which the text was read: the longest escape has 12.
  private static let lookahead = 12

  package init(maximumDepth: Int = 64) { self.maximumDepth = maximumDepth }

  /// What the text begins with, behind all that was read before, and how much of it that is. After an error nothing more is read.
  /// - Parameters:
  ///   - bytes: must be UTF-8.
  ///   - isEnd: whether the text ends with them.
  /// - Throws: `JSONError`.
  package mutating func next(in bytes: UnsafeRawBufferPointer, isEnd: Bool) throws -> (Step, length: Int) {
    guard state != .end else { return (.end, 0) }
    var reader = JSONReader(bytes: bytes, maximumDepth: maximumDepth)
    let found: (start: Int, value: JSON)?
    do {
      found = try reader.readElement(isFirst: state == .start)
    } catch let error as JSONError {
      if !isEnd, reader.position + Self.lookahead > bytes.count { return (.incomplete, 0) }
      state = .end
      throw JSONError(
        offset: error.offset, line: error.line + line - 1,
        column: error.line == 1 ? error.column + column - 1 : error.column, message: error.message)
    }
    // A number may go on.
    if !isEnd, reader.position == bytes.count { return (.incomplete, 0) }
    state = found == nil ? .end : .between
    guard let found else { return (.end, reader.position) }
    pass(bytes[..<found.start])
    let element = Element(line: line, column: column, value: found.value)
    pass(bytes[found.start..<reader.position])
    return (.element(element), reader.position)
  }

  private mutating func pass(_ bytes: Slice<UnsafeRawBufferPointer>) {
    var last: Int?
    for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
      line += 1
      last = index
    }
    column = last.map { bytes.endIndex - $0 } ?? column + bytes.count
  }
}

extension JSONReader {
  /// An element with what stands before it, `[` or `,`; nil at the end of the text after `]`.
  fileprivate mutating func readElement(isFirst: Bool) throws -> (start: Int, value: JSON)? {
    skipWhitespace()
    let isArray = current == UInt8(ascii: "[")
    guard !isFirst || isArray else { throw error("expected `[`") }
    var isEnd = current == UInt8(ascii: "]")
    guard isFirst || isEnd || current == UInt8(ascii: ",") else { throw error("expected `,` or `]`") }
    position += 1
    skipWhitespace()
    if isFirst, current == UInt8(ascii: "]") {
      position += 1
      isEnd = true
      skipWhitespace()
    }
    guard !isEnd else {
      guard current == nil else { throw error("unexpected text after the value") }
      return nil
    }
    let start = position
    return (start, try readValue(depth: 1))
  }
}
