// Zstandard through the system's libzstd.

import CZstd

enum Zstandard: Codec {
  static let name = "ZSTD"
  static let number: Int64 = 6

  static func expand(_ bytes: ArraySlice<UInt8>, to count: Int) throws -> [UInt8] {
    var size = 0
    let output = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      size = bytes.withUnsafeBytes { ZSTD_decompress(buffer.baseAddress, count, $0.baseAddress, $0.count) }
      initialized = ZSTD_isError(size) == 0 ? min(size, count) : 0
    }
    guard ZSTD_isError(size) == 0, size == count else {
      throw ParquetFault("zstd data are damaged or do not expand to the declared \(count) bytes")
    }
    return output
  }
}
