// What stands before the bytes of a page.

struct PageHeader {
  enum Kind {
    case index
    case dictionary(count: Int)
    /// Levels and values compressed together, each level with its length before it.
    case data(count: Int)
    /// Levels apart from the values, never compressed.
    case dataV2(count: Int, repetitionBytes: Int, definitionBytes: Int, isCompressed: Bool)
  }
  let kind: Kind
  let encoding: Int64
  let size: Int
  let compressedSize: Int
  let checksum: UInt32?
  /// Bytes of the header itself.
  let length: Int

  /// Bytes that are looked at: more only where those before do not hold the header, which may have texts in it.
  private static let lengths = [1 << 12, 1 << 16, 1 << 24]

  static func read(_ input: ParquetInput, in range: Range<Int>) throws -> PageHeader {
    var index = 0
    while true {
      let length = min(lengths[index], range.count)
      index += 1
      do {
        return try PageHeader(try input.read(at: range.lowerBound, count: length))
      } catch let fault as ParquetFault {
        guard length < range.count, index < lengths.count else { throw fault }
      }
    }
  }

  private init(_ bytes: [UInt8]) throws {
    var reader = ByteReader(bytes[...])
    let value = try ThriftValue.structure(&reader)
    length = reader.position
    size = try value.size(2, "the size of a page")
    compressedSize = try value.size(3, "the compressed size of a page")
    checksum = value.optionalInteger(4).map { UInt32(truncatingIfNeeded: $0) }
    switch try value.integer(1, "the type of a page") {
    case 0:
      let header = try value.structure(5, "the header of a data page")
      for field in [Int64(3), 4] where try header.integer(field, "the encoding of levels") != 3 {
        throw ParquetFault("levels in another encoding than RLE are not read")
      }
      kind = .data(count: try header.size(1, "the number of values"))
      encoding = try header.integer(2, "the encoding")
    case 1:
      kind = .index
      encoding = 0
    case 2:
      let header = try value.structure(7, "the header of a dictionary page")
      kind = .dictionary(count: try header.size(1, "the number of values"))
      encoding = try header.integer(2, "the encoding")
    case 3:
      let header = try value.structure(8, "the header of a data page")
      kind = .dataV2(
        count: try header.size(1, "the number of values"),
        repetitionBytes: try header.size(6, "the size of the repetition levels"),
        definitionBytes: try header.size(5, "the size of the definition levels"),
        isCompressed: header.bool(7) ?? true)
      encoding = try header.integer(4, "the encoding")
    case let other: throw ParquetFault("a page of type \(other), which is not known")
    }
  }
}
