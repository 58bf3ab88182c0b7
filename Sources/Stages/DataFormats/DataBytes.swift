// The bytes of a data file in their order; where the file is compressed as a whole, those that it expands to.

import Compression
import Experiments
import System

/// What the file's first bytes say, not its name: a name is in no key. No text begins like compressed data.
final class DataBytes {
  /// What a message calls the way in which the file is compressed; nil where it is not.
  let compression: String?
  private let path: String
  private let file: UserFile
  private let expanded: ExpandedFile?
  /// What was read to tell, and is not handed over yet.
  private var start: ArraySlice<UInt8>
  /// Of a file that is not compressed: bytes that were not handed over.
  private var left: Int

  /// - Throws: `InputError` for a path that is no readable regular file, or a file compressed in a way that is not read.
  init(_ path: String) throws {
    self.path = path
    (file, start, expanded) = try readingDataFile(path) {
      let file = try UserFile(path)
      let start = try [UInt8](
        unsafeUninitializedCapacity: min(ExpandedFile.startLength, file.size)
      ) { $1 = try file.read(into: UnsafeMutableRawBufferPointer($0)) }
      return (file, start[...], try ExpandedFile(file, start: start))
    }
    compression = expanded?.compression
    left = file.size
  }

  /// Of the file.
  var fileSize: Int { file.size }

  /// How many bytes of the file stand for what was handed over.
  var position: Int { expanded?.position ?? file.size - left }

  /// Whether nothing follows; where more bytes may follow that are none in the end, this is false.
  var isAtEnd: Bool { expanded?.isAtEnd ?? (left == 0) }

  /// Fills the buffer, or what the rest of the file fills of it.
  /// - Returns: how many bytes were written; fewer than there is room for at the end.
  /// - Throws: `InputError` for a file that changed, or whose compressed data are damaged or expand too far.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    try readingDataFile(path) {
      if let expanded { return try expanded.read(into: buffer) }
      let first = min(start.count, buffer.count)
      start.prefix(first).withUnsafeBytes { buffer.copyMemory(from: $0) }
      start = start.dropFirst(first)
      let count = first + (try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[first...])))
      left -= count
      return count
    }
  }

  /// What follows, or so much of it.
  func read(upTo limit: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: expanded == nil ? min(limit, left) : limit) {
      $1 = try read(into: UnsafeMutableRawBufferPointer($0))
    }
  }
}
