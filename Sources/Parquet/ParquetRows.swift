// The rows of a file, one after the other; the columns of one row group are read at a time.

import JSON
import System

/// A row that no JSON object can hold; those after it can be read.
package struct ParquetRowError: Error, Sendable {
  package let problem: String
}

package struct ParquetRows {
  private let file: ParquetFile
  private let fields: [SchemaField]
  private let limits: FileLimits
  /// Of the row group that is read.
  private var readers: [FieldReader] = []
  private var columns: [ColumnReader] = []
  /// Those of `columns` that are looked at after each row.
  private var doubtful: [ColumnReader] = []
  private var group = 0
  private var rowsLeft = 0
  private var rowsOfAll = 0

  /// - Parameter fields: those that are read; nil reads all.
  /// - Throws: `ParquetError` for a file that stands for too many rows.
  package init(_ file: ParquetFile, fields names: [String]? = nil) throws {
    self.file = file
    let wanted = names.map { Set($0.map(UTF8Key.init)) }
    fields = file.metadata.schema.fields.filter { wanted?.contains(UTF8Key($0.name)) ?? true }
    let limits = FileLimits(fileSize: file.input.size)
    try inPart("the metadata at its end", of: file.input.path) { try limits.rows.spend(file.rowCount) }
    self.limits = limits
  }

  /// The next row; nil after the last.
  /// - Throws: `ParquetRowError`, after which the next row can be asked for; `ParquetError`, `SystemError`.
  package mutating func next() throws -> JSON? {
    while rowsLeft == 0 {
      try endGroup()
      guard group < file.metadata.groupCount else { return nil }
      try beginGroup()
    }
    rowsLeft -= 1
    var members: [JSONObject.Member] = []
    members.reserveCapacity(readers.count)
    for reader in readers { members.append((reader.name, try reader.value())) }
    for column in doubtful {
      guard try column.repetition() == 0 else { throw column.disagreement }
      if column.tookNotFinite {
        column.tookNotFinite = false
        throw ParquetRowError(
          problem: "\(column.part): not a number or infinite, which JSON does not hold")
      }
    }
    return .object(JSONObject(distinct: members))
  }

  private mutating func beginGroup() throws {
    rowsLeft = try inPart("row group \(group + 1)", of: file.input.path) {
      let count = try file.metadata.rowCount(ofGroup: group)
      let left = file.rowCount - rowsOfAll
      guard count <= left else {
        throw ParquetFault("it has \(count) rows, of \(file.rowCount) in the file \(left) are left")
      }
      return count
    }
    rowsOfAll += rowsLeft
    let schema = file.metadata.schema
    readers = try fields.map { field in
      try FieldReader(field) { column in
        let part = "column \(quoted(schema.columns[column].path.joined(separator: ".")))"
        return try inPart(part, of: file.input.path) {
          try ColumnReader(
            schema.columns[column], named: part, try file.metadata.chunk(ofGroup: group, column: column),
            file.input, limits)
        }
      }
    }
    columns = readers.flatMap(\.columns)
    doubtful = columns.filter(\.needsLook)
    group += 1
  }

  /// Nothing may be left of a group's columns when its rows are read, nor of the file's rows when its groups are.
  private func endGroup() throws {
    for column in columns where try !column.isAtEnd() {
      throw column.error("it has more values than its group has rows")
    }
    guard group == file.metadata.groupCount else { return }
    try inPart("its row groups", of: file.input.path) {
      guard rowsOfAll == file.rowCount else {
        throw ParquetFault("they have \(rowsOfAll) rows, but the file \(file.rowCount)")
      }
      try file.input.checkUnchanged()
    }
  }
}
