// What names a row of `data`: a field of its record, or else the record's content and a count.

import JSON
import Models
import Runner

struct RowIdentifiers {
  /// Nil where ids are derived.
  private let field: String?
  private var given = TextSet()
  /// How often each content came so far.
  private var occurrences: [UInt64: Int] = [:]

  init(field: String?) { self.field = field }

  /// What an id is made of.
  enum Name {
    case given(String)
    /// A hash of the content: rows of the same content have the same.
    case derived(UInt64)

    var text: String {
      switch self {
      case .given(let text): return text
      case .derived(let hash):
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
      }
    }
  }

  /// A derived name depends on the record's content alone, so it stays when lines move, when options change, and when members are
  /// written in another order.
  /// - Throws: `BadRecord` for a field that cannot be an id.
  func name(of record: DataRecord, _ fields: RecordFields) throws -> Name {
    guard let field else {
      var canonical: [UInt8] = []
      canonical.reserveCapacity(1024)
      record.value.write(to: &canonical, .canonical)
      return .derived(canonical.withUnsafeBufferPointer(hash64))
    }
    switch try fields.field(field, option: "id") {
    case .string(let text) where !text.isEmpty: return .given(text)
    case .int(let number): return .given(String(number))
    case .largeInteger(let digits): return .given(digits)
    case let other:
      let found = other.stringValue == nil ? other.kind : "an empty string"
      throw fields.bad("id", "field `\(field)` is \(found); expected text or an integer")
    }
  }

  /// - Throws: `RepeatedID`.
  mutating func id(_ name: Name) throws -> String {
    switch name {
    case .given(let text):
      guard given.insert(text) else { throw RepeatedID(id: text) }
      return text
    case .derived(let hash):
      let occurrence = occurrences[hash, default: 0] + 1
      occurrences[hash] = occurrence
      return "\(name.text)-\(occurrence)"
    }
  }
}

/// A given id must be new, whatever `on_bad_row` says: which of two rows is meant cannot be guessed.
struct RepeatedID: Error {
  let id: String
}
