// Gzip.

import Compression

enum GzipPage: Codec {
  static let name = "GZIP"
  static let number: Int64 = 2

  static func expand(_ bytes: ArraySlice<UInt8>, to count: Int, in room: inout [UInt8]) throws
    -> ArraySlice<UInt8>
  {
    try Gzip.expand(bytes, to: count)[...]
  }
}
