// Parquet: only the columns that are needed are read, one row group at a time.

import Experiments
import JSON
import Parquet
import System

struct ParquetFormat: DataFormat {
  static let name = "parquet"
  static let unit = "rows"

  static func isRecognized(by start: [UInt8]) -> Bool { start.starts(with: Array("PAR1".utf8)) }

  /// Rows that a check looks at.
  private static let rowsChecked = 64

  let isWhole: Bool
  let byteCount: Int
  private let path: String
  private let rowLimit: Int
  private var rows: ParquetRows
  private var row = 0

  init(_ source: DataSource) throws {
    path = source.path
    // What is wrong with the file as a file is said as of every other one.
    if let compression = try DataBytes(path).compression {
      throw InputError(
        "\(path): a Parquet file inside \(compression) data, which is not read; decompress it, since its pages are compressed by themselves"
      )
    }
    do {
      let file = try ParquetFile(path)
      rowLimit = source.limit == nil ? .max : Self.rowsChecked
      isWhole = file.rowCount <= rowLimit
      byteCount = file.size
      rows = try ParquetRows(file, fields: source.fields(among: file.fields))
    } catch let error as ParquetError {
      throw InputError("\(error)")
    }
  }

  mutating func next() throws -> DataRecord? {
    guard row < rowLimit else { return nil }
    row += 1
    do {
      return try rows.next().map { DataRecord(place: .row(row), value: $0) }
    } catch let error as ParquetRowError {
      throw BadRecord(place: .row(row), reason: error.problem)
    } catch let error as ParquetError {
      throw InputError("\(error)")
    }
  }
}
