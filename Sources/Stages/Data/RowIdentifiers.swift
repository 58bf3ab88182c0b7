// What names a row of `data`: a field of its record, or else the record's content and a count.

import JSON
import Models
import Runner

struct RowIdentifiers {
  /// Nil where ids are derived.
  private let field: String?
  private var given = TextSet()
  /// How often each content hash came so far.
  private var occurrences: [UInt64: Int] = [:]

  init(field: String?) { self.field = field }

  /// A derived id depends on the record's content alone, so it stays when lines move, when options change, and
  /// when members are written in another order.
  /// - Throws: `BadRecord` for a field that cannot be an id; `RepeatedID`.
  mutating func id(of record: DataRecord) throws -> String {
    guard let field else {
      let hash = hash64(record.value.text(.canonical))
      let occurrence = occurrences[hash, default: 0] + 1
      occurrences[hash] = occurrence
      let digits = String(hash, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits + "-\(occurrence)"
    }
    let id: String
    switch try record.field(field, option: "id") {
    case .string(let text) where !text.isEmpty: id = text
    case .int(let number): id = String(number)
    case .largeInteger(let digits): id = digits
    case let other:
      let found = other.stringValue == nil ? other.kind : "an empty string"
      throw BadRecord(
        place: record.place, option: "id",
        reason: "option `id`: field `\(field)` is \(found); expected text or an integer")
    }
    guard given.insert(id) else { throw RepeatedID(id: id) }
    return id
  }
}

/// A given id must be new, whatever `on_bad_row` says: which of two rows is meant cannot be guessed.
struct RepeatedID: Error {
  let id: String
}
