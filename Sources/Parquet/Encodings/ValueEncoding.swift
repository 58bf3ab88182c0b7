// How the values of a page are written, by the number that the page gives; a dictionary's are read by its column.

import Compression
import JSON

enum ValueEncoding: Int64 {
  case plain = 0
  case rle = 3
  case deltaBinaryPacked = 5
  case deltaLengthByteArray = 6
  case deltaByteArray = 7

  /// Indices into the column's dictionary, under its two numbers.
  static let dictionary: Set<Int64> = [2, 8]

  init(numbered number: Int64) throws {
    guard let encoding = ValueEncoding(rawValue: number) else {
      let names: [Int64: String] = [4: "BIT_PACKED", 9: "BYTE_STREAM_SPLIT"]
      throw ParquetFault("the encoding \(names[number] ?? "number \(number)") is not read")
    }
    self = encoding
  }

  /// - Parameter count: how many values the page has; the caller has bounded it.
  func values(_ bytes: ArraySlice<UInt8>, of type: ValueType, count: Int, _ expansion: ExpansionLimit) throws
    -> [JSON]
  {
    guard count > 0 else { return [] }
    var reader = ByteReader(bytes)
    let values: [JSON]
    switch (self, type) {
    case (.plain, _): values = try plain(&reader, type, count: count)
    case (.rle, .boolean):
      let size = Int(try reader.integer(as: UInt32.self))
      values = try HybridRuns.read(try reader.take(size), width: 1, count: count).map { .bool($0 == 1) }
    case (.deltaBinaryPacked, .int32), (.deltaBinaryPacked, .int64):
      values = try DeltaBinaryPacked.read(&reader, upTo: count).map(type.json)
    case (.deltaLengthByteArray, .text):
      values = try DeltaByteArrays.readLengths(&reader, upTo: count).map {
        try $0.withUnsafeBytes(ValueType.json)
      }
    case (.deltaByteArray, .text):
      values = try DeltaByteArrays.readPrefixes(&reader, upTo: count, expansion).map {
        try $0.withUnsafeBytes(ValueType.json)
      }
    default: throw ParquetFault("the encoding number \(rawValue) is not one of the column's type")
    }
    guard values.count == count else {
      throw ParquetFault("a page has \(values.count) values; it declares \(count)")
    }
    return values
  }

  private func plain(_ reader: inout ByteReader, _ type: ValueType, count: Int) throws -> [JSON] {
    var values: [JSON] = []
    values.reserveCapacity(count)
    switch type {
    case .boolean:
      var bits = BitReader(reader.rest)
      for _ in 0..<count { values.append(.bool(try bits.next(1) == 1)) }
    case .int32:
      for _ in 0..<count { values.append(type.json(Int64(try reader.integer(as: Int32.self)))) }
    case .int64:
      for _ in 0..<count { values.append(type.json(try reader.integer())) }
    case .float:
      for _ in 0..<count { values.append(.double(Double(Float(bitPattern: try reader.integer())))) }
    case .double:
      for _ in 0..<count { values.append(.double(Double(bitPattern: try reader.integer()))) }
    case .text: return try Self.plainTexts(reader.rest, count: count)
    }
    return values
  }

  /// Each with its length before it in 32 bits.
  private static func plainTexts(_ bytes: ArraySlice<UInt8>, count: Int) throws -> [JSON] {
    try bytes.withUnsafeBytes { bytes in
      var values: [JSON] = []
      values.reserveCapacity(count)
      var position = 0
      for _ in 0..<count {
        var left = bytes.count - position
        guard left >= 4 else { throw ParquetFault("4 bytes needed, \(left) left") }
        let length = Int(
          UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        position += 4
        left -= 4
        guard length <= left else { throw ParquetFault("\(length) bytes needed, \(left) left") }
        values.append(
          try ValueType.json(UnsafeRawBufferPointer(rebasing: bytes[position..<(position + length)])))
        position += length
      }
      return values
    }
  }
}
