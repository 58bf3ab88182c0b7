// A field of the rows of one row group, whose values are put together from its columns. Source: Melnik et al. 2010, "Dremel", section
// 4.3, as a descent through the schema.

import JSON

final class FieldReader {
  private enum Content {
    case value(ColumnReader)
    /// Of a field that stands for itself.
    case optional(ColumnReader)
    case structure([FieldReader])
    case list(FieldReader, definition: Int, repetition: Int)
  }

  let name: String
  /// Those below it.
  let columns: [ColumnReader]
  private let isOptional: Bool
  private let definition: Int
  private let content: Content

  /// - Parameter reader: of a column, by its place among all.
  init(_ field: SchemaField, _ reader: (Int) throws -> ColumnReader) rethrows {
    name = field.name
    isOptional = field.isOptional
    definition = field.definition
    switch field.content {
    case .value(let column):
      let column = try reader(column)
      content = field.isOptional && definition == 1 ? .optional(column) : .value(column)
      columns = [column]
    case .structure(let fields):
      let fields = try fields.map { try FieldReader($0, reader) }
      content = .structure(fields)
      columns = fields.flatMap(\.columns)
    case .list(let element, let definition, let repetition):
      let element = try FieldReader(element, reader)
      content = .list(element, definition: definition, repetition: repetition)
      columns = element.columns
    }
  }

  /// The next value.
  /// - Throws: `ParquetError`, `SystemError`.
  func value() throws -> JSON {
    if case .optional(let column) = content { return try column.takeOrNull() }
    if isOptional, try columns[0].definition() < definition {
      for column in columns { try column.skip(below: definition) }
      return .null
    }
    switch content {
    case .value(let column), .optional(let column): return try column.take()
    case .structure(let fields):
      return .object(JSONObject(distinct: try fields.map { ($0.name, try $0.value()) }))
    case .list(let element, let definition, let repetition):
      guard try columns[0].definition() >= definition else {
        for column in columns { try column.skip(below: definition) }
        return .array([])
      }
      var elements: [JSON] = []
      repeat {
        elements.append(try element.value())
      } while try continues(repetition)
      return .array(elements)
    }
  }

  /// Whether a list has another element: all of its columns must say the same.
  private func continues(_ repetition: Int) throws -> Bool {
    let next = try columns.map { try $0.repetition() }
    for (column, level) in zip(columns, next)
    where level > repetition || (level == repetition) != (next[0] == repetition) {
      throw column.disagreement
    }
    return next[0] == repetition
  }
}
