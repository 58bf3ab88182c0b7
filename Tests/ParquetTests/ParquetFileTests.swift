// Parquet files that pyarrow wrote, beside the rows that they were written from.

import Foundation
import JSON
import Parquet
import System
import TestFolder
import Testing

private let fixtures = URL(fileURLWithPath: "\(#filePath)/../Fixtures").standardized.path

/// All rows of a file.
func parquetRows(_ path: String, fields: [String]? = nil) throws -> [JSON] {
  var reader = try ParquetRows(try ParquetFile(path), fields: fields)
  var rows: [JSON] = []
  while let row = try reader.next() { rows.append(row) }
  return rows
}

private func names() throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: fixtures)
    .filter { $0.hasSuffix(".parquet") && !$0.hasPrefix("refused.") }.sorted()
}

private func expected(_ name: String) throws -> [JSON] {
  let rows = name.prefix { $0 != "." }
  return try String(contentsOfFile: "\(fixtures)/\(rows).jsonl", encoding: .utf8).split(separator: "\n").map {
    try JSON(parsing: String($0))
  }
}

@Suite struct ParquetFileTests {
  @Test func `every file has the rows that it was written from, to the byte`() throws {
    let names = try names()
    #expect(names.count == 26)
    for name in names {
      let rows = try parquetRows("\(fixtures)/\(name)")
      #expect(rows.map { $0.text() } == (try expected(name)).map { $0.text() }, "\(name)")
    }
  }

  @Test func `only the fields that are asked for are read, in the order of the file`() throws {
    let path = "\(fixtures)/nested.pages.parquet"
    let rows = try parquetRows(path, fields: ["meta", "id", "absent"])
    let all = try expected("nested.pages")
    #expect(rows.count == all.count)
    for (row, whole) in zip(rows, all) {
      #expect(
        row.objectValue?.keys == ["id", "meta"] && row["id"] == whole["id"] && row["meta"] == whole["meta"])
    }
    // A column that cannot be read is in nobody's way until it is asked for.
    #expect(try parquetRows("\(fixtures)/refused.decimal.parquet", fields: ["good"]).count == 1)
  }

  @Test(arguments: [
    ("decimal", "column `bad`: the type DECIMAL is not read; write the column as text or numbers"),
    ("int96", "column `bad`: the type INT96 is not read; write the column as text or numbers"),
    ("fixed", "column `bad`: the type FIXED_LEN_BYTE_ARRAY is not read; write the column as text or numbers"),
    ("bytes", "column `bad`: a value is not valid UTF-8; bytes that are no text are not read"),
    (
      "lz4",
      "column `good`: compressed with LZ4_RAW, which is not read; write the file with one of UNCOMPRESSED, SNAPPY, GZIP, ZSTD"
    ),
    (
      "brotli",
      "column `good`: compressed with BROTLI, which is not read; write the file with one of UNCOMPRESSED, SNAPPY, GZIP, ZSTD"
    ),
    ("split", "column `bad`: the encoding BYTE_STREAM_SPLIT is not read"),
    (
      "expansion",
      "column `good`: the file expands to more than 67108864 bytes, the limit for its size (256 times as much, and 67108864 in any case); write it as JSON Lines"
    ),
    (
      "rows",
      "the metadata at its end: the file stands for more than 524288 rows, the limit for its 93 bytes (one for 2 of them, and 524288 in any case); split it, or write it as JSON Lines, which may have any number"
    ),
    (
      "values",
      "column `good.list.element`: the file stands for more than 8388608 values, the limit for its 307 bytes (8 for each, and 8388608 in any case); split it, or write it as JSON Lines, which may have any number"
    ),
  ])
  func `what is not read is refused by column and name`(name: String, problem: String) {
    let path = "\(fixtures)/refused.\(name).parquet"
    let error = #expect(throws: ParquetError.self) { try parquetRows(path) }
    #expect(error.map { "\($0)" } == "\(path): \(problem)")
    // Whoever asks again gets rows or errors.
    guard var rows = try? ParquetRows(try ParquetFile(path)) else { return }
    for _ in 0..<8 { _ = try? rows.next() }
  }

  @Test func `a row with a number that JSON lacks is an error of that row alone`() throws {
    var reader = try ParquetRows(try ParquetFile("\(fixtures)/refused.nan.parquet"))
    #expect(try reader.next()?["bad"] == 1)
    for _ in 0..<2 {
      let error = #expect(throws: ParquetRowError.self) { try reader.next() }
      #expect(error?.problem == "column `bad`: not a number or infinite, which JSON does not hold")
    }
    #expect(try reader.next()?["bad"] == 2)
    #expect(try reader.next() == nil)
  }
}

@Suite struct DamagedParquetTests {
  private let folder = TemporaryFolder()

  /// Rows or an error that is ours, within the limits; how many rows there were.
  private func read(_ bytes: [UInt8]) throws -> Int? {
    let path = try folder.file("damaged.parquet", bytes)
    var count = 0
    do {
      var reader = try ParquetRows(try ParquetFile(path))
      while true {
        do {
          guard try reader.next() != nil else { return count }
        } catch is ParquetRowError {}
        count += 1
      }
    } catch is ParquetError {
      return nil
    }
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(fixtures)/\(name)")))
  }

  @Test(arguments: ["flat.snappy-v1.parquet", "nested.v2.parquet"])
  func `a file that is cut anywhere is refused`(name: String) throws {
    let bytes = try bytes(name)
    for count in bytes.indices {
      #expect(try read(Array(bytes[..<count])) == nil, "\(name) cut to \(count) bytes")
    }
  }

  @Test func `a damaged byte ends in rows or an error, soon`() throws {
    for name in try names() {
      let original = try bytes(name)
      // All bytes of the metadata and of small files, and every seventh of the others.
      let step = original.count > 2000 ? 7 : 1
      for index in original.indices where index % step == 0 || index > original.count - 500 {
        var damaged = original
        damaged[index] ^= [0x01, 0x80, 0xFF][index % 3]
        let seconds = try processorSeconds { _ = try read(damaged) }
        #expect(seconds < 1, "\(name): byte \(index)")
      }
    }
  }

  @Test func `a file with a checksum does not read a damaged page`() throws {
    let original = try bytes("flat.statistics.parquet")
    // A letter of a text: without the checksum it would be read as another one.
    let place = try #require(
      original.indices.first { original[$0...].starts(with: Array("line\nline".utf8)) })
    var damaged = original
    damaged[place] ^= 0x01
    #expect(try read(original) == 50 && read(damaged) == nil)
  }
}
