// Reading the header of a file byte by byte, never past its end.

import System

struct ByteCursor {
  let file: MappedFile
  var position: Int
  /// What is being read, for errors.
  var part: String
  /// Where reading ends, inside the file, and what ends there.
  let end: Int
  let extent: String
  /// Elements of arrays that were stepped over one by one; see `GGUFValues.swift`.
  var steppedElements = 0

  init(file: MappedFile, position: Int, part: String) {
    self.init(file: file, position: position, part: part, end: file.count, extent: "the file")
  }

  init(file: MappedFile, position: Int, part: String, end: Int, extent: String) {
    precondition((0...file.count).contains(end), "end \(end) of \(file.count) bytes")
    self.file = file
    self.position = position
    self.part = part
    self.end = end
    self.extent = extent
  }

  var remaining: Int { end - position }

  func failure(_ problem: String, at offset: Int? = nil) -> FormatError {
    FormatError(path: file.path, part: part, offset: offset ?? position, problem)
  }

  mutating func bytes(_ count: Int, of what: String) throws -> UnsafeRawBufferPointer {
    guard count <= remaining, let bytes = file.slice(position, count) else {
      throw failure("\(extent) ends inside \(what): \(count) bytes needed, \(remaining) left")
    }
    position += count
    return bytes
  }

  /// Little endian.
  mutating func integer<T: FixedWidthInteger>(_ what: String, as type: T.Type = T.self) throws -> T {
    T(littleEndian: try bytes(T.bitWidth / 8, of: what).loadUnaligned(as: T.self))
  }
}
