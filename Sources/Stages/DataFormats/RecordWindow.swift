// The part of a data file that its format looks at: read block by block, with each record in one piece.

import Experiments
import Glibc

/// A record that may be larger than what is at hand is read like this: look at `bytes`; where they end before the record does, `extend`
/// and look again; then `consume` it.
final class RecordWindow {
  /// Bytes of a record, which is in memory as text and as values: a value takes up to 16 times the bytes it is written with. A text of
  /// this size has some four million tokens, which is more than any model reads.
  static let recordLimit = 16 << 20
  private static let blockSize = 1 << 20

  let path: String
  private let bytes: DataBytes
  /// Whether what is read are all bytes of the file, and whether nothing follows those at hand.
  private(set) var isWhole = true
  private(set) var isAtEnd = false
  /// SAFETY: this object's own memory, freed in `deinit`; nobody gets the address beyond a closure.
  private var memory: UnsafeMutableRawBufferPointer
  /// Where in `memory` the bytes lie that are at hand.
  private var start = 0
  private var end = 0

  /// How many bytes were at hand at first: all that a check looks at.
  private(set) var byteCount = 0

  /// - Throws: `InputError` for a path that is no readable regular file, or compressed data that are wrong.
  init(_ source: DataSource) throws {
    path = source.path
    bytes = try DataBytes(path)
    // A byte more than the limit says whether the file has more.
    var size = source.limit.map { $0 + 1 } ?? Self.blockSize
    if bytes.compression == nil { size = min(size, max(bytes.fileSize, 1)) }
    memory = .allocate(byteCount: size, alignment: 16)
    try fill()
    if let limit = source.limit {
      isWhole = end <= limit
      isAtEnd = true
      end = min(end, limit)
    }
    byteCount = end
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    if memory[..<end].starts(with: mark) { start = mark.count }
  }

  deinit { memory.deallocate() }

  /// What is at hand. The memory is good inside the closure only.
  func withBytes<T>(_ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
    try body(UnsafeRawBufferPointer(rebasing: memory[start..<end]))
  }

  /// How many bytes are at hand.
  var count: Int { end - start }

  /// How many of the bytes at hand go up to the first `byte` at `offset` or behind it, itself included.
  func length(to byte: UInt8, from offset: Int) -> Int? {
    guard offset < count, let first = memory.baseAddress,
      let found = memchr(first + start + offset, Int32(byte), count - offset)
    else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(first + start) + 1
  }

  /// What was looked at is not needed any more.
  func consume(_ count: Int) {
    precondition(count <= self.count, "\(count) of \(self.count) bytes")
    start += count
  }

  /// Reads on. What is at hand is all of one record, as far as it goes.
  /// - Parameter place: where the record begins.
  /// - Throws: `InputError`.
  func extend(_ place: @autoclosure () -> RecordPlace) throws {
    precondition(!isAtEnd, "nothing follows in \(path)")
    let count = count
    guard count <= Self.recordLimit else {
      throw InputError(
        "\(place().inside(path)): a record of more than \(Self.recordLimit >> 20) MiB, the most that one may have; "
          + "see whether a line end, a quote or a bracket is missing")
    }
    // Twice as many each time, so that a record is looked at twice, all looks together.
    let size = max(Self.blockSize, min(count * 2, Self.recordLimit + 1))
    if size > memory.count {
      let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
      larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[start..<end]))
      memory.deallocate()
      memory = larger
    } else if count > 0 {
      memory.baseAddress.map { $0.copyMemory(from: $0 + start, byteCount: count) }
    }
    start = 0
    end = count
    try fill()
  }

  private func fill() throws {
    let room = UnsafeMutableRawBufferPointer(rebasing: memory[end...])
    let count = try bytes.read(into: room)
    end += count
    isAtEnd = count < room.count || bytes.isAtEnd
  }
}
