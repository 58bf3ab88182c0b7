// A condition that a record must satisfy to become a row.

import JSON
import Runner

struct RecordCondition {
  let field: String
  let value: JSON

  private static let field = StageOption(
    "field", .string, summary: "a field, or a path of fields joined by dots")
  private static let value = StageOption<JSON>(
    "is",
    .mapped(
      .optional(
        .either(
          .mapped(.bool) { JSON.bool($0) }, .mapped(.integer(Int.min...Int.max)) { .int(Int64($0)) },
          .mapped(.number(-1e300...1e300)) { .double($0) }, .mapped(.string) { .string($0) }))
    ) { $0 ?? .null },
    summary: "the value it must have; `null` matches a field that is present and null")

  static let type = OptionValueType.object([field.field, value.field]) {
    RecordCondition(field: $0[field], value: $0[value])
  }

  /// - Throws: `BadRecord` for a record without the field.
  func holds(_ record: DataRecord) throws -> Bool {
    try record.field(field, option: "where") == value
  }
}

extension DataRecord {
  /// The value of a field, or at a path of fields joined by dots.
  /// - Throws: `BadRecord` for a record without it.
  func field(_ name: String, option: String) throws -> JSON {
    guard let found = PromptTemplate.value(name, in: value) else {
      throw BadRecord(
        place: place, option: option,
        reason: "option `\(option)`: no field `\(name)`; the row has \(PromptTemplate.fields(of: value))")
    }
    return found
  }
}
