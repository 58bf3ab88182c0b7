// Gzip through the system's zlib.

import CZlib

enum Gzip: Codec {
  static let name = "GZIP"
  static let number: Int64 = 2

  static func expand(_ bytes: ArraySlice<UInt8>, to count: Int) throws -> [UInt8] {
    guard !bytes.isEmpty else {
      guard count == 0 else { throw ParquetFault("gzip data are empty where \(count) bytes are declared") }
      return []
    }
    guard let inputCount = UInt32(exactly: bytes.count), let outputCount = UInt32(exactly: count) else {
      throw ParquetFault("gzip data of \(bytes.count) bytes are larger than zlib reads at once")
    }
    var input = Array(bytes)
    // One more, so that data which expand too far are seen.
    var output = [UInt8](repeating: 0, count: count + 1)
    var stream = z_stream()
    // 15 bits of window; 32 more take the header of gzip or of zlib.
    guard inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw ParquetFault("zlib has no memory")
    }
    defer { inflateEnd(&stream) }
    let code = input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        stream.next_in = input.baseAddress
        stream.avail_in = inputCount
        stream.next_out = output.baseAddress
        stream.avail_out = outputCount + 1
        return inflate(&stream, Z_FINISH)
      }
    }
    guard code == Z_STREAM_END, stream.total_out == count else {
      throw ParquetFault("gzip data are damaged or do not expand to the declared \(count) bytes")
    }
    output.removeLast()
    return output
  }

  /// The checksum of a page.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    UInt32(truncatingIfNeeded: bytes.withUnsafeBufferPointer { crc32_z(0, $0.baseAddress, $0.count) })
  }
}
