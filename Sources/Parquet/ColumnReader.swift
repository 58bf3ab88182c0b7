// A column of a row group, value by value; one page of it is in memory at a time.

import Compression
import JSON

final class ColumnReader {
  /// What a message calls it: "column `a`".
  let part: String
  private let column: SchemaColumn
  private let type: ValueType
  private let codec: any Codec.Type
  private let input: ParquetInput
  private let limits: FileLimits

  /// The pages that are not read yet, and how many values they have.
  private var range: Range<Int>
  private var valuesLeft: Int
  private var dictionary: [JSON]?

  // The page that is read: a level for each value, nulls among them, and the values that are none.
  private var repetitions: [UInt32] = []
  private var definitions: [UInt32] = []
  private var values: [JSON] = []
  private var count = 0
  private var index = 0
  private var valueIndex = 0

  /// Whether a row may have several values, or one that is no number of JSON: that has to be looked at when it is read.
  var needsLook: Bool {
    switch type {
    case .float, .double: true
    default: column.maximumRepetition > 0
    }
  }

  /// Whether a number that is no number of JSON was taken since this was last set.
  var tookNotFinite = false

  /// - Throws: `ParquetFault`; everything else throws `ParquetError`.
  init(
    _ column: SchemaColumn, named part: String, _ chunk: ColumnChunk, _ input: ParquetInput,
    _ limits: FileLimits
  ) throws {
    self.part = part
    self.column = column
    type = try ValueType(column.element)
    codec = try Parquet.codec(numbered: chunk.codec)
    self.input = input
    self.limits = limits
    range = chunk.bytes
    valuesLeft = chunk.valueCount
  }

  func isAtEnd() throws -> Bool {
    while index == count {
      guard valuesLeft > 0 else { return true }
      do {
        try inPart(part, of: input.path) { try readPage() }
      } catch {
        // Of a page that is half read nothing is given, however often it is asked for.
        (count, index, valuesLeft) = (0, 0, 0)
        throw error
      }
    }
    return false
  }

  /// Of the next value; 0 at the end, where a record would begin.
  func repetition() throws -> Int {
    try isAtEnd() || repetitions.isEmpty ? 0 : Int(repetitions[index])
  }

  /// Of the next value.
  func definition() throws -> Int {
    guard try !isAtEnd() else { throw error("it ends before the rows of its group do") }
    return definitions.isEmpty ? 0 : Int(definitions[index])
  }

  /// The next value, which must be there.
  func take() throws -> JSON {
    guard try definition() == column.maximumDefinition else { throw disagreement }
    return takeDefined()
  }

  /// The next value of a field that is no list, or null.
  func takeOrNull() throws -> JSON {
    if try definition() == column.maximumDefinition { return takeDefined() }
    index += 1
    return .null
  }

  private func takeDefined() -> JSON {
    // Moved, since a text that is counted twice and then once again costs as much as to make it.
    var value = JSON.null
    swap(&value, &values[valueIndex])
    valueIndex += 1
    index += 1
    if case .double(let number) = value, !number.isFinite { tookNotFinite = true }
    return value
  }

  /// Takes a null, or a list without elements, of a field whose definition level would be this.
  func skip(below definition: Int) throws {
    guard try self.definition() < definition else { throw disagreement }
    index += 1
  }

  func error(_ problem: String) -> ParquetError {
    ParquetError(path: input.path, part: part, problem: problem)
  }

  var disagreement: ParquetError { error("its levels do not fit those of the columns beside it") }

  private func readPage() throws {
    let header = try PageHeader.read(input, in: range)
    let start = range.lowerBound + header.length
    guard start <= range.upperBound, header.compressedSize <= range.upperBound - start else {
      throw ParquetFault("a page of \(header.compressedSize) bytes is larger than the rest of the column")
    }
    range = (start + header.compressedSize)..<range.upperBound
    guard max(header.size, header.compressedSize) <= FileLimits.pageBytes else {
      throw ParquetFault(
        "a page has \(max(header.size, header.compressedSize)) bytes; the limit is \(FileLimits.pageBytes)")
    }
    try limits.bytes.spend(header.size)
    if case .index = header.kind { return }
    let bytes = try input.readPage(at: start, count: header.compressedSize)
    if let checksum = header.checksum, checksum != Gzip.checksum(bytes) {
      throw ParquetFault("a page does not have its checksum: the file is damaged")
    }
    switch header.kind {
    case .index: break
    case .dictionary(let count):
      try Self.checkCount(count)
      try limits.values.spend(count)
      // Either number means PLAIN here.
      guard header.encoding == 0 || header.encoding == 2 else {
        throw ParquetFault("a dictionary in encoding number \(header.encoding) is not read")
      }
      let page = try codec.expand(bytes, to: header.size, in: &input.expandedPage)
      dictionary = try ValueEncoding.plain.values(page, of: type, count: count, limits.bytes)
    case .data(let count):
      try begin(count)
      var page = ByteReader(try codec.expand(bytes, to: header.size, in: &input.expandedPage))
      repetitions = try levels(&page, upTo: column.maximumRepetition)
      definitions = try levels(&page, upTo: column.maximumDefinition)
      try readValues(page.rest, header.encoding)
    case .dataV2(let count, let repetitionBytes, let definitionBytes, let isCompressed):
      try begin(count)
      var page = ByteReader(bytes)
      repetitions = try levels(try page.take(repetitionBytes), upTo: column.maximumRepetition)
      definitions = try levels(try page.take(definitionBytes), upTo: column.maximumDefinition)
      let size = header.size - repetitionBytes - definitionBytes
      guard size >= 0 else { throw ParquetFault("a page has \(header.size) bytes; its levels have more") }
      // Without values there may be nothing that a codec could expand.
      let values =
        isCompressed && size > 0
        ? try codec.expand(page.rest, to: size, in: &input.expandedPage)
        : try Uncompressed.expand(page.rest, to: size, in: &input.expandedPage)
      try readValues(values, header.encoding)
    }
  }

  private func begin(_ count: Int) throws {
    try Self.checkCount(count)
    guard count <= valuesLeft else {
      throw ParquetFault("a page has \(count) values; \(valuesLeft) are left in the column")
    }
    try limits.values.spend(count)
    valuesLeft -= count
    self.count = count
    index = 0
    valueIndex = 0
  }

  private static func checkCount(_ count: Int) throws {
    guard count <= FileLimits.pageValues else {
      throw ParquetFault("a page has \(count) values; the limit is \(FileLimits.pageValues)")
    }
  }

  /// Levels with their length before them; none where all would be 0.
  private func levels(_ page: inout ByteReader, upTo maximum: Int) throws -> [UInt32] {
    guard maximum > 0 else { return [] }
    return try levels(try page.take(Int(try page.integer(as: UInt32.self))), upTo: maximum)
  }

  private func levels(_ bytes: ArraySlice<UInt8>, upTo maximum: Int) throws -> [UInt32] {
    guard maximum > 0 else { return [] }
    let levels = try HybridRuns.read(bytes, width: HybridRuns.width(of: maximum), count: count)
    guard levels.allSatisfy({ $0 <= maximum }) else { throw ParquetFault("a level is above \(maximum)") }
    return levels
  }

  private func readValues(_ bytes: ArraySlice<UInt8>, _ encoding: Int64) throws {
    let maximum = column.maximumDefinition
    let count = definitions.isEmpty ? self.count : definitions.count { $0 == maximum }
    guard ValueEncoding.dictionary.contains(encoding) else {
      values = try ValueEncoding(numbered: encoding).values(bytes, of: type, count: count, limits.bytes)
      return
    }
    guard let dictionary else { throw ParquetFault("a page refers to a dictionary that the column lacks") }
    guard count > 0 else {
      values = []
      return
    }
    var reader = ByteReader(bytes)
    let width = Int(try reader.byte())
    values = try HybridRuns.read(reader.rest, width: width, count: count).map { index in
      guard index < dictionary.count else {
        throw ParquetFault("a value is number \(index) of a dictionary of \(dictionary.count)")
      }
      let value = dictionary[Int(index)]
      if case .string(let text) = value { try limits.bytes.spend(text.utf8.count) }
      return value
    }
  }
}
