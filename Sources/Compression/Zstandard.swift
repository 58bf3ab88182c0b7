// Zstandard through the system's libzstd: data of a known size at once, and files of any size piece by piece.

import CZstd

package enum Zstandard {
  /// Exactly `count` bytes.
  /// - Throws: `CompressionFault` where the data are damaged or expand to another size.
  package static func expand(_ bytes: ArraySlice<UInt8>, to count: Int) throws -> [UInt8] {
    var size = 0
    let output = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      size = bytes.withUnsafeBytes { ZSTD_decompress(buffer.baseAddress, count, $0.baseAddress, $0.count) }
      initialized = ZSTD_isError(size) == 0 ? min(size, count) : 0
    }
    guard ZSTD_isError(size) == 0, size == count else {
      throw CompressionFault("zstd data are damaged or do not expand to the declared \(count) bytes")
    }
    return output
  }
}

/// Frames one behind the other, skippable ones among them. A frame whose window is larger than 128 MiB, which only `zstd --ultra` and
/// `--long` write, is refused by the library.
final class ZstandardStream: CompressedStream {
  static let name = "zstd"
  static let magic: [[UInt8]] =
    [[0x28, 0xB5, 0x2F, 0xFD]] + (0..<16).map { [0x50 + $0, 0x2A, 0x4D, 0x18] }

  /// SAFETY: libzstd's own, freed in `deinit`.
  private let stream: OpaquePointer
  private(set) var mayEnd = true

  init() throws {
    guard let stream = ZSTD_createDStream() else { throw CompressionFault("libzstd has no memory") }
    self.stream = stream
  }

  deinit { ZSTD_freeDStream(stream) }

  func expand(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws -> (
    taken: Int, written: Int
  ) {
    // Asked for more of a frame that has ended, the library begins the next.
    if mayEnd, input.isEmpty { return (0, 0) }
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
    let left = ZSTD_decompressStream(stream, &target, &source)
    guard ZSTD_isError(left) == 0 else {
      throw CompressionFault("zstd data are damaged or not read: \(String(cString: ZSTD_getErrorName(left)))")
    }
    mayEnd = left == 0
    return (source.pos, target.pos)
  }
}
