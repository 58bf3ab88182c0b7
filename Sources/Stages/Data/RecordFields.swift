// The fields of a record as the options of `data` name them: those that the file gives and those that `fields` makes, stripped where
// `strip` says so.

import Experiments
import JSON

struct RecordFields {
  let place: RecordPlace
  private var values: JSON
  private let stripped: StrippedFields

  init(_ record: DataRecord, _ options: DataOptions) throws {
    place = record.place
    values = record.value
    stripped = options.stripped
    for field in options.derived.inOrder { try set(field.name, field.value(in: self)) }
  }

  private mutating func set(_ name: String, _ value: JSON) {
    guard case .object(var members) = values else { return }
    members[name] = value
    values = .object(members)
  }

  /// The value of a field, or at a path of fields joined by dots.
  /// - Parameter option: what names it.
  /// - Throws: `BadRecord` for a record without it.
  func field(_ name: String, option: String) throws -> JSON {
    guard let value = PromptTemplate.value(name, in: values) else {
      throw BadRecord(
        place: place, option: option, missing: name,
        reason: "option `\(option)`: no field `\(name)`; the row has \(PromptTemplate.fields(of: values))")
    }
    return stripped.contains(name) ? value.stripped : value
  }

  /// - Throws: `BadRecord` for a field that is missing or no text.
  func text(_ name: String, option: String) throws -> String {
    let value = try field(name, option: option)
    if let text = value.stringValue { return text }
    throw bad(option, "field `\(name)` is \(value.kind); expected text")
  }

  /// - Throws: `BadRecord` for a field that is missing or cannot stand in a text.
  func filled(_ template: PromptTemplate, option: String) throws -> PromptTemplate.Filled {
    do {
      return try template.filled { try field($0, option: option) }
    } catch let error as PromptTemplate.Failure {
      throw bad(option, error.description)
    }
  }

  func bad(_ option: String, _ reason: String) -> BadRecord {
    BadRecord(place: place, option: option, reason: "option `\(option)`: \(reason)")
  }
}

/// The fields whose texts are read without white space at their ends.
enum StrippedFields {
  case none, all
  case named(Set<UTF8Key>)

  func contains(_ name: String) -> Bool {
    switch self {
    case .none: false
    case .all: true
    case .named(let names): names.contains(UTF8Key(name))
    }
  }
}

extension JSON {
  /// A text, or the texts of a list, without white space at their ends; any other value as it is.
  fileprivate var stripped: JSON {
    switch self {
    case .string(let text): .string(text.strippedOfWhitespace)
    case .array(let values):
      .array(values.map { if case .string(let text) = $0 { .string(text.strippedOfWhitespace) } else { $0 } })
    default: self
    }
  }
}
