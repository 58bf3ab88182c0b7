// DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY: lengths apart from bytes, and prefixes that the value before has too.

import Compression

enum DeltaByteArrays {
  /// The lengths of all values, then their bytes.
  static func readLengths(_ reader: inout ByteReader, upTo limit: Int) throws -> [ArraySlice<UInt8>] {
    try DeltaBinaryPacked.read(&reader, upTo: limit).map { length in
      guard let count = Int(exactly: length) else { throw ParquetFault("a length is \(length)") }
      return try reader.take(count)
    }
  }

  /// The lengths of the prefixes, then the other bytes.
  static func readPrefixes(_ reader: inout ByteReader, upTo limit: Int, _ expansion: ExpansionLimit) throws
    -> [ArraySlice<UInt8>]
  {
    let prefixes = try DeltaBinaryPacked.read(&reader, upTo: limit)
    let suffixes = try readLengths(&reader, upTo: limit)
    guard prefixes.count == suffixes.count else {
      throw ParquetFault("\(prefixes.count) prefixes of \(suffixes.count) values")
    }
    var last: ArraySlice<UInt8> = []
    return try zip(prefixes, suffixes).map { prefix, suffix in
      guard prefix >= 0, prefix <= last.count else {
        throw ParquetFault("a prefix of \(prefix) bytes of a value of \(last.count)")
      }
      try expansion.spend(Int(prefix))
      last = last.prefix(Int(prefix)) + suffix
      return last
    }
  }
}
