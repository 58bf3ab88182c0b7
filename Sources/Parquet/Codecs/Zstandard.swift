// Zstandard.

import Compression

enum ZstandardPage: Codec {
  static let name = "ZSTD"
  static let number: Int64 = 6

  static func expand(_ bytes: ArraySlice<UInt8>, to count: Int, in room: inout [UInt8]) throws
    -> ArraySlice<UInt8>
  {
    try Zstandard.expand(bytes, to: count)[...]
  }
}
