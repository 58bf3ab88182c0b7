// A file's metadata: the schema, and where the columns of each row group lie. Source: parquet.thrift of apache/parquet-format.

/// A column of a row group.
struct ColumnChunk {
  let bytes: Range<Int>
  let codec: Int64
  /// Nulls and empty lists are counted.
  let valueCount: Int
}

struct FileMetadata {
  let schema: Schema
  let rowCount: Int
  private let groups: [ThriftValue]
  /// Where the metadata begin: columns lie before it.
  private let start: Int

  private static let magic = Array("PAR1".utf8)
  /// Bytes of the metadata.
  private static let limit = 64 << 20

  init(_ input: ParquetInput) throws {
    guard input.size >= 12, try input.read(at: 0, count: 4) == Self.magic else {
      throw ParquetFault("not a Parquet file: it does not begin with `PAR1`")
    }
    let end = try input.read(at: input.size - 8, count: 8)
    guard Array(end[4...]) == Self.magic else {
      throw ParquetFault(
        Array(end[4...]) == Array("PARE".utf8)
          ? "an encrypted file, which is not read" : "the file does not end with `PAR1`: it was cut")
    }
    var length = ByteReader(end[...])
    let size = Int(try length.integer(as: UInt32.self))
    guard size <= min(input.size - 12, Self.limit) else {
      throw ParquetFault(
        "the metadata have \(size) bytes; \(min(input.size - 12, Self.limit)) is the most that the file can have"
      )
    }
    start = input.size - 8 - size
    var reader = ByteReader(try input.read(at: start, count: size)[...])
    let value = try ThriftValue.structure(&reader)
    schema = try Schema(try value.list(2, "the schema"))
    rowCount = try value.size(3, "the number of rows")
    groups = try value.list(4, "the list of row groups")
  }

  var groupCount: Int { groups.count }

  func rowCount(ofGroup index: Int) throws -> Int { try groups[index].size(3, "the number of rows") }

  func chunk(ofGroup index: Int, column: Int) throws -> ColumnChunk {
    let chunks = try groups[index].list(1, "the list of columns")
    guard chunks.count == schema.columns.count else {
      throw ParquetFault(
        "row group \(index + 1) has \(chunks.count) columns; the schema has \(schema.columns.count)")
    }
    guard chunks[column].optionalStructure(8) == nil, chunks[column].optionalStructure(9) == nil else {
      throw ParquetFault("the column is encrypted, which is not read")
    }
    let value = try chunks[column].structure(3, "the metadata of the column")
    guard try value.integer(1, "the type") == schema.columns[column].element.integer(1, "the type") else {
      throw ParquetFault("its type in row group \(index + 1) is not that of the schema")
    }
    let path = schema.columns[column].path
    guard try value.texts(3, "the path") == path.map({ Array($0.utf8) }) else {
      throw ParquetFault("row group \(index + 1) has another column in its place")
    }
    guard !chunks[column].has(1) else {
      throw ParquetFault("its values lie in another file, which is not read")
    }
    let valueCount = try value.size(5, "the number of values")
    guard valueCount > 0 else { return ColumnChunk(bytes: 0..<0, codec: 0, valueCount: 0) }
    let dataOffset = try value.size(9, "the offset of the first page")
    let dictionaryOffset = value.optionalInteger(11).flatMap { $0 > 0 ? Int($0) : nil } ?? dataOffset
    let first = min(dataOffset, dictionaryOffset)
    let size = try value.size(7, "the size")
    guard first >= 4, first <= start, size <= start - first else {
      throw ParquetFault("its bytes \(first) and \(size) on lie outside the data of the file")
    }
    return ColumnChunk(
      bytes: first..<(first + size), codec: try value.integer(4, "the codec"),
      valueCount: valueCount)
  }
}
