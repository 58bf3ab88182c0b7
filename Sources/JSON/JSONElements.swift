// The elements of a JSON array, one after the other: no more than one of them is a value at a time.

/// Reads the text of one array.
package struct JSONElements {
  package struct Element {
    /// 1-based.
    package let line: Int
    /// 1-based, in bytes.
    package let column: Int
    package let value: JSON
  }

  private enum State { case start, between, end }

  private let bytes: ArraySlice<UInt8>
  private let maximumDepth: Int
  private var state = State.start
  /// Offsets from the start of the text: of what is read next, and of the line that it stands on.
  private var position = 0
  private var lineStart = 0
  private var line = 1

  /// - Parameter bytes: must be UTF-8.
  package init(_ bytes: ArraySlice<UInt8>, maximumDepth: Int = 64) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  /// Nil after the last element, when nothing but blanks follows the array. After an error nothing more is read.
  /// - Throws: `JSONError`.
  package mutating func next() throws -> Element? {
    guard state != .end else { return nil }
    let isStart = state == .start
    // Where an error is thrown, this is the end.
    state = .end
    let (start, value, end, next) = try bytes.withUnsafeBytes { bytes in
      var reader = JSONReader(bytes: bytes, maximumDepth: maximumDepth)
      reader.position = position
      let element = try reader.readElement(isFirst: isStart)
      return (element?.start ?? 0, element?.value, reader.position, element == nil ? State.end : .between)
    }
    state = next
    guard let value else { return nil }
    for offset in position..<start where bytes[bytes.startIndex + offset] == UInt8(ascii: "\n") {
      line += 1
      lineStart = offset + 1
    }
    let element = Element(line: line, column: start - lineStart + 1, value: value)
    for offset in start..<end where bytes[bytes.startIndex + offset] == UInt8(ascii: "\n") {
      line += 1
      lineStart = offset + 1
    }
    position = end
    return element
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
