// A text that was read, and places in it. Every diagnostic points into one.

import JSON

/// A file (or a command-line argument) as it was read, with what is needed to show a place in it.
package final class SourceFile: Sendable {
  /// As the user wrote it; what diagnostics show.
  package let name: String
  /// Absolute. Relative paths written in this text start here.
  package let folder: String
  package let bytes: [UInt8]
  /// Byte offsets at which lines begin, the first after a byte-order mark; a line ends at LF, CR LF or a lone CR.
  let lineStarts: [Int]

  package init(name: String, folder: String, bytes: [UInt8]) {
    self.name = name
    self.folder = folder
    self.bytes = bytes
    let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var starts = [start]
    var index = start
    while index < bytes.count {
      if bytes[index] == 0x0A {
        starts.append(index + 1)
      } else if bytes[index] == 0x0D, index + 1 >= bytes.count || bytes[index + 1] != 0x0A {
        starts.append(index + 1)
      }
      index += 1
    }
    lineStarts = starts
  }

  /// 0-based line that holds this byte offset.
  func lineIndex(of offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }

  /// The bytes of a 0-based line, without its line break.
  func lineRange(_ line: Int) -> Range<Int> {
    let start = lineStarts[line]
    var end = line + 1 < lineStarts.count ? lineStarts[line + 1] : bytes.count
    while end > start, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
    return start..<end
  }
}

/// A range of bytes of a source.
package struct SourceSpan: Sendable, Equatable {
  package let file: SourceFile
  package let start: Int
  package let end: Int

  /// Clamped to the file.
  package init(file: SourceFile, start: Int, end: Int) {
    self.file = file
    self.start = max(0, min(start, file.bytes.count))
    self.end = max(self.start, min(end, file.bytes.count))
  }

  /// 1-based.
  package var line: Int { file.lineIndex(of: start) + 1 }

  /// 1-based, in Unicode scalars (bytes that are not UTF-8 count one each).
  package var column: Int {
    var column = 1
    var index = file.lineStarts[file.lineIndex(of: start)]
    while index < start {
      index += UTF8Scalar.at(index, in: file.bytes).length
      column += 1
    }
    return column
  }

  package static func == (a: Self, b: Self) -> Bool {
    a.file === b.file && a.start == b.start && a.end == b.end
  }

  /// Order of diagnostics: by file name, then by place.
  static func precedes(_ a: SourceSpan, _ b: SourceSpan) -> Bool {
    if a.file !== b.file, UTF8Key(a.file.name) != UTF8Key(b.file.name) {
      return a.file.name.utf8.lexicographicallyPrecedes(b.file.name.utf8)
    }
    return (a.start, a.end) < (b.start, b.end)
  }
}

/// One scalar decoded from bytes that may not be UTF-8.
struct UTF8Scalar {
  /// Nil when the byte begins no valid sequence.
  var scalar: Unicode.Scalar?
  /// In bytes, at least 1.
  var length: Int

  static func at(_ index: Int, in bytes: [UInt8]) -> UTF8Scalar {
    let first = bytes[index]
    if first < 0x80 { return UTF8Scalar(scalar: Unicode.Scalar(first), length: 1) }
    let length: Int
    switch first {
    case 0xC2...0xDF: length = 2
    case 0xE0...0xEF: length = 3
    case 0xF0...0xF4: length = 4
    default: return UTF8Scalar(scalar: nil, length: 1)
    }
    guard index + length <= bytes.count else { return UTF8Scalar(scalar: nil, length: 1) }
    var value = UInt32(first) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
    for next in bytes[(index + 1)..<(index + length)] {
      guard next & 0xC0 == 0x80 else { return UTF8Scalar(scalar: nil, length: 1) }
      value = value << 6 | UInt32(next & 0x3F)
    }
    let least: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000
    guard value >= least, let scalar = Unicode.Scalar(value) else {
      return UTF8Scalar(scalar: nil, length: 1)
    }
    return UTF8Scalar(scalar: scalar, length: length)
  }
}
