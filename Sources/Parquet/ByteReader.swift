// Reads bytes in order, never past their end.

struct ByteReader {
  let bytes: ArraySlice<UInt8>
  private(set) var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  var remaining: Int { bytes.endIndex - position }
  var rest: ArraySlice<UInt8> { bytes[position...] }

  mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
    guard count >= 0, count <= remaining else {
      throw ParquetFault("\(count) bytes needed, \(remaining) left")
    }
    defer { position += count }
    return bytes[position..<(position + count)]
  }

  mutating func byte() throws -> UInt8 {
    guard remaining > 0 else { throw ParquetFault("1 byte needed, 0 left") }
    defer { position += 1 }
    return bytes[position]
  }

  /// Little endian.
  mutating func integer<T: FixedWidthInteger>(as type: T.Type = T.self) throws -> T {
    let slice = try take(T.bitWidth / 8)
    return T(littleEndian: slice.withUnsafeBytes { $0.loadUnaligned(as: T.self) })
  }

  /// An unsigned LEB128 of at most 64 bits.
  mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let byte = try byte()
      guard shift < 63 || byte <= 1 else { break }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw ParquetFault("a number of variable length is longer than 64 bits")
  }

  /// A signed LEB128 in zigzag order.
  mutating func zigzag() throws -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// A count or a size.
  mutating func count(of what: String, upTo limit: Int) throws -> Int {
    let value = try varint()
    guard let count = Int(exactly: value), count <= limit else {
      throw ParquetFault("\(what) is \(value); at most \(limit) fits here")
    }
    return count
  }
}
