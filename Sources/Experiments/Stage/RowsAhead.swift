// Rows of a file one after the other, read on a thread of their own while those before them are used.

import JSON
import System

/// What `readRows(_:requiring:reading:)` gives, though no more than some mebibytes of the file are in memory at a time: as long as a row
/// is, so is the piece of the file that it came with.
package struct RowsAhead: ~Copyable {
  private let reader: Reader
  private var rows: ArraySlice<Row> = []
  private var reading: BackgroundWork?

  /// - Throws: `InputError` for a path that is no readable regular file.
  package init(_ path: String, requiring columns: [String], reading names: [String]) throws {
    let blocks = try RowBlocks(path)
    reader = Reader(blocks, RowLines(named: path, requiring: columns, reading: names))
    reading = reader.begin()
  }

  /// Nil after the last.
  /// - Throws: `InputError` as `readRows` does, before rows that were read together with the wrong one.
  package mutating func next() throws -> Row? {
    while rows.isEmpty {
      guard let begun = reading.take() else { return nil }
      try begun.wait()
      rows = reader.take()[...]
      if !reader.hasEnded { reading = reader.begin() }
    }
    return rows.popFirst()
  }

  // SAFETY: one thread uses it at a time: the one that reads, or ours when that has ended.
  private final class Reader: @unchecked Sendable {
    private let blocks: RowBlocks
    private var lines: RowLines
    private var rows: [Row] = []
    private(set) var hasEnded = false

    init(_ blocks: RowBlocks, _ lines: RowLines) { (self.blocks, self.lines) = (blocks, lines) }

    func begin() -> BackgroundWork { BackgroundWork { try self.read() } }

    func take() -> [Row] {
      defer { rows = [] }
      return rows
    }

    private func read() throws {
      guard let block = try blocks.next() else {
        hasEnded = true
        return
      }
      rows = try lines.rows(of: block.bytes, upTo: block.end)
    }
  }
}

/// A file in pieces that end with a line, or with the file.
private final class RowBlocks {
  private let path: String
  private let file: UserFile
  /// Bytes that are to be read.
  private var left: Int
  /// Read, and not handed over: the start of a line.
  private var rest: ArraySlice<UInt8> = []

  private static let blockSize = 1 << 21

  init(_ path: String) throws {
    self.path = path
    file = try readingRowFile(path) { try UserFile(path) }
    left = file.size
  }

  /// Up to `end` are whole lines; nil after the last.
  func next() throws -> (bytes: [UInt8], end: Int)? {
    var size = RowBlocks.blockSize
    while left > 0 || !rest.isEmpty {
      let count = min(size, left)
      let bytes = try readingRowFile(path) {
        try [UInt8](unsafeUninitializedCapacity: rest.count + count) { buffer, filled in
          let buffer = UnsafeMutableRawBufferPointer(buffer)
          rest.withUnsafeBytes { buffer.copyMemory(from: $0) }
          filled = rest.count
          filled += try file.read(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<(filled + count)]))
        }
      }
      left -= count
      if left == 0 {
        rest = []
        return (bytes, bytes.count)
      }
      if let newline = bytes.lastIndex(of: 0x0A) {
        rest = bytes[(newline + 1)...]
        return (bytes, newline + 1)
      }
      rest = bytes[...]
      size *= 2
    }
    return nil
  }
}
