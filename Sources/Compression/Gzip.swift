// Gzip through the system's zlib: data of a known size at once, and files of any size piece by piece.

import CZlib

package enum Gzip {
  /// Exactly `count` bytes, of gzip or zlib data.
  /// - Throws: `CompressionFault` where the data are damaged or expand to another size.
  package static func expand(_ bytes: ArraySlice<UInt8>, to count: Int) throws -> [UInt8] {
    guard !bytes.isEmpty else {
      guard count == 0 else {
        throw CompressionFault("gzip data are empty where \(count) bytes are declared")
      }
      return []
    }
    let stream = try ZlibStream(windowBits: 15 + 32)
    // One more, so that data which expand too far are seen.
    var output = [UInt8](repeating: 0, count: count + 1)
    let (status, _, written) = bytes.withUnsafeBytes { input in
      output.withUnsafeMutableBytes { stream.inflate(input, into: $0) }
    }
    guard status == Z_STREAM_END, written == count else {
      throw CompressionFault("gzip data are damaged or do not expand to the declared \(count) bytes")
    }
    output.removeLast()
    return output
  }

  /// CRC-32 as gzip has it.
  package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    UInt32(truncatingIfNeeded: bytes.withUnsafeBufferPointer { crc32_z(0, $0.baseAddress, $0.count) })
  }
}

/// Members one behind the other. Zero bytes behind the last are padding, as `gzip` takes them.
final class GzipStream: CompressedStream {
  static let name = "gzip"
  static let magic: [[UInt8]] = [[0x1F, 0x8B, 8]]

  private let stream: ZlibStream
  private(set) var mayEnd = true

  init() throws { stream = try ZlibStream(windowBits: 15 + 16) }

  func expand(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws -> (
    taken: Int, written: Int
  ) {
    var padding = 0
    if mayEnd {
      padding = input.firstIndex { $0 != 0 } ?? input.count
      guard padding < input.count else { return (padding, 0) }
      stream.reset()
      mayEnd = false
    }
    let (status, taken, written) = stream.inflate(
      UnsafeRawBufferPointer(rebasing: input[padding...]), into: output)
    switch status {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: mayEnd = true
    case Z_MEM_ERROR: throw CompressionFault("zlib has no memory")
    default: throw CompressionFault("gzip data are damaged: \(stream.message)")
    }
    return (padding + taken, written)
  }
}

/// zlib's own object. It holds its own address, so it stays where it is.
final class ZlibStream {
  /// SAFETY: this object's own memory, freed in `deinit`; addresses of buffers are in it only while `inflate` runs.
  private let stream: UnsafeMutablePointer<z_stream>

  /// - Parameter windowBits: 15, and 16 more for the header of gzip, 32 for that of gzip or of zlib; -15 for data without a header.
  init(windowBits: Int32) throws {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      stream.deallocate()
      throw CompressionFault("zlib has no memory")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Before the first byte again.
  func reset() { inflateReset(stream) }

  /// What zlib says is wrong.
  var message: String { stream.pointee.msg.map { String(cString: $0) } ?? "a preset dictionary is needed" }

  func inflate(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> (
    status: Int32, taken: Int, written: Int
  ) {
    // zlib counts in 32 bits.
    let room = (input: min(input.count, Int(UInt32.max)), output: min(output.count, Int(UInt32.max)))
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(room.input)
    stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(room.output)
    let status = CZlib.inflate(stream, Z_NO_FLUSH)
    return (status, room.input - Int(stream.pointee.avail_in), room.output - Int(stream.pointee.avail_out))
  }
}
