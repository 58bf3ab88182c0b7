// The rows of a file, one after the other, put together from the columns of one row group. Source: Melnik et al. 2010, "Dremel",
// section 4.3, as a descent through the schema.

import JSON
import System

/// A row that no JSON object can hold; those after it can be read.
package struct ParquetRowError: Error, Sendable {
  package let problem: String
}

package struct ParquetRows {
  private let file: ParquetFile
  private let fields: [SchemaField]
  private let expansion: ExpansionLimit
  private var columns: [ColumnReader?]
  private var group = 0
  private var rowsLeft = 0
  private var rowsOfAll = 0

  /// - Parameter fields: those that are read; nil reads all.
  package init(_ file: ParquetFile, fields names: [String]? = nil) throws {
    self.file = file
    let wanted = names.map { Set($0.map(UTF8Key.init)) }
    fields = file.metadata.schema.fields.filter { wanted?.contains(UTF8Key($0.name)) ?? true }
    expansion = ExpansionLimit(fileSize: file.input.size)
    columns = file.metadata.schema.columns.map { _ in nil }
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
    let row = JSON.object(JSONObject(distinct: try fields.map { ($0.name, try value(of: $0)) }))
    for field in fields {
      for column in field.columns {
        guard let reader = columns[column] else { continue }
        guard try inColumn(column, { try reader.repetition() }) == 0 else { throw disagreement(column) }
        if reader.tookNotFinite {
          reader.tookNotFinite = false
          throw ParquetRowError(
            problem: "\(name(column)): not a number or infinite, which JSON does not hold")
        }
      }
    }
    return row
  }

  private mutating func beginGroup() throws {
    rowsLeft = try inPart("row group \(group + 1)", of: file.input.path) {
      try file.metadata.rowCount(ofGroup: group)
    }
    rowsOfAll = rowsOfAll.addingReportingOverflow(rowsLeft).partialValue
    for field in fields {
      for column in field.columns {
        columns[column] = try inColumn(column) {
          try ColumnReader(
            file.metadata.schema.columns[column],
            try file.metadata.chunk(ofGroup: group, column: column), file.input, expansion)
        }
      }
    }
    group += 1
  }

  /// Nothing may be left of a group's columns when its rows are read, nor of the file's rows when its groups are.
  private func endGroup() throws {
    for (column, reader) in columns.enumerated() {
      guard let reader else { continue }
      try inColumn(column) {
        guard try reader.isAtEnd() else { throw ParquetFault("it has more values than its group has rows") }
      }
    }
    guard group == file.metadata.groupCount else { return }
    try inPart("its row groups", of: file.input.path) {
      guard rowsOfAll == file.rowCount else {
        throw ParquetFault("they have \(rowsOfAll) rows, but the file \(file.rowCount)")
      }
      try file.input.checkUnchanged()
    }
  }

  private func value(of field: SchemaField) throws -> JSON {
    let first = field.columns.lowerBound
    if field.isOptional, try definition(first) < field.definition {
      try skip(field.columns, below: field.definition)
      return .null
    }
    switch field.content {
    case .value(let column): return try inColumn(column) { try reader(column).take() }
    case .structure(let fields):
      return .object(JSONObject(distinct: try fields.map { ($0.name, try value(of: $0)) }))
    case .list(let element, let definition, let repetition):
      guard try self.definition(first) >= definition else {
        try skip(field.columns, below: definition)
        return .array([])
      }
      var elements: [JSON] = []
      repeat {
        elements.append(try value(of: element))
      } while try continues(field.columns, repetition)
      return .array(elements)
    }
  }

  /// Whether a list has another element: all of its columns must say the same.
  private func continues(_ range: Range<Int>, _ repetition: Int) throws -> Bool {
    let next = try range.map { column in try inColumn(column) { try reader(column).repetition() } }
    for (column, level) in zip(range, next)
    where level > repetition || (level == repetition) != (next[0] == repetition) {
      throw disagreement(column)
    }
    return next[0] == repetition
  }

  private func definition(_ column: Int) throws -> Int {
    try inColumn(column) { try reader(column).definition() }
  }

  private func skip(_ range: Range<Int>, below definition: Int) throws {
    for column in range { try inColumn(column) { try reader(column).skip(below: definition) } }
  }

  private func reader(_ column: Int) throws -> ColumnReader {
    guard let reader = columns[column] else {
      preconditionFailure("column \(column) of a field that is not read")
    }
    return reader
  }

  private func inColumn<T>(_ column: Int, _ body: () throws -> T) throws -> T {
    try inPart(name(column), of: file.input.path, body)
  }

  private func disagreement(_ column: Int) -> ParquetError {
    ParquetError(
      path: file.input.path, part: name(column),
      problem: "its levels do not fit those of the columns beside it")
  }

  private func name(_ column: Int) -> String {
    "column \(quoted(file.metadata.schema.columns[column].path.joined(separator: ".")))"
  }
}
