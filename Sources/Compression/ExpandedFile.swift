// A file that is compressed as a whole, as the bytes that it expands to.

import System

package final class ExpandedFile {
  /// What a message calls the way in which it is compressed.
  package let compression: String
  private let file: UserFile
  private let stream: any CompressedStream
  private let limit: ExpansionLimit

  /// Of the file, those that were read; from `start` on they are not expanded yet.
  private var input: [UInt8]
  private var start = 0
  /// Bytes of the file that were expanded.
  package private(set) var position = 0
  private var unread: Int
  /// After it nothing more is expanded.
  private var failure: CompressionError?

  private static let blockSize = 1 << 16
  /// How many bytes at a file's start tell whether it is compressed.
  package static let startLength = 8

  /// Nil for a file that begins like no compressed one.
  /// - Parameter start: the first bytes of the file, `startLength` or all, which were read from it.
  /// - Throws: `CompressionError` for a compressed file that is not read.
  package init?(_ file: UserFile, start: [UInt8]) throws {
    if let refused = refusedCompressions.first(where: { $0.magic.contains { start.starts(with: $0) } }) {
      throw CompressionError(
        path: file.path, offset: 0,
        problem: "\(refused.name) data, which are not read; decompress the file, or compress it with "
          + compressedStreams.map { $0.name }.joined(separator: " or "))
    }
    guard let type = compressedStreams.first(where: { $0.magic.contains { start.starts(with: $0) } }) else {
      return nil
    }
    compression = type.name
    self.file = file
    stream = try type.init()
    limit = ExpansionLimit(
      fileSize: file.size, help: "decompress the file: one that is not compressed has no limit")
    input = start
    unread = max(0, file.size - start.count)
  }

  /// Whether nothing follows what was read; a file may have ended without this being known before the next read.
  package var isAtEnd: Bool { unread == 0 && start == input.count && stream.mayEnd }

  /// Fills the buffer, or what the rest of the file fills of it.
  /// - Returns: how many bytes were written; fewer than there is room for at the end.
  /// - Throws: `CompressionError`; as `UserFile.read`.
  package func read(into output: UnsafeMutableRawBufferPointer) throws -> Int {
    if let failure { throw failure }
    var filled = 0
    while filled < output.count, !isAtEnd {
      if start == input.count, unread > 0 { try readOn() }
      let room = UnsafeMutableRawBufferPointer(rebasing: output[filled...])
      do {
        let (taken, written) = try input.withUnsafeBytes {
          try stream.expand(UnsafeRawBufferPointer(rebasing: $0[start...]), into: room)
        }
        start += taken
        position += taken
        filled += written
        try limit.spend(written)
        guard taken + written > 0 || stream.mayEnd else {
          throw CompressionFault("\(compression) data end before they are complete: the file was cut")
        }
      } catch let fault as CompressionFault {
        let error = CompressionError(path: file.path, offset: position, problem: fault.problem)
        failure = error
        throw error
      }
    }
    return filled
  }

  private func readOn() throws {
    input = try [UInt8](unsafeUninitializedCapacity: min(Self.blockSize, unread)) { buffer, count in
      count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
    start = 0
    unread -= input.count
  }
}
