// How the bytes of a page are compressed.

protocol Codec: SendableMetatype {
  static var name: String { get }
  /// As the file's metadata number it.
  static var number: Int64 { get }

  /// Exactly `count` bytes.
  /// - Parameter room: where they may be put; memory that pages share, one after the other.
  /// - Throws: `ParquetFault` or `CompressionFault` where the bytes are damaged or expand to another size.
  static func expand(_ bytes: ArraySlice<UInt8>, to count: Int, in room: inout [UInt8]) throws
    -> ArraySlice<UInt8>
}

let codecs: [any Codec.Type] = [Uncompressed.self, Snappy.self, GzipPage.self, ZstandardPage.self]

enum Uncompressed: Codec {
  static let name = "UNCOMPRESSED"
  static let number: Int64 = 0

  static func expand(_ bytes: ArraySlice<UInt8>, to count: Int, in room: inout [UInt8]) throws
    -> ArraySlice<UInt8>
  {
    guard bytes.count == count else { throw ParquetFault("\(bytes.count) bytes where \(count) are declared") }
    return bytes
  }
}

/// The codec of a number.
func codec(numbered number: Int64) throws -> any Codec.Type {
  if let codec = codecs.first(where: { $0.number == number }) { return codec }
  let others: [Int64: String] = [3: "LZO", 4: "BROTLI", 5: "LZ4", 7: "LZ4_RAW"]
  throw ParquetFault(
    "compressed with \(others[number] ?? "codec \(number)"), which is not read; write the file with one of "
      + codecs.map { $0.name }.joined(separator: ", "))
}
