// What names a row of `data`: a field of its record, or else the record's content and a count.

import Experiments
import JSON

struct RowIdentifiers {
  /// Nil where ids are derived.
  private let field: String?
  private var given = TextSet()
  private var contents = ContentCounts()

  init(field: String?) { self.field = field }

  /// What an id is made of.
  enum Name {
    case given(String)
    /// A hash of the content: rows of the same content have the same.
    case derived(UInt64)

    var text: String {
      switch self {
      case .given(let text): return text
      case .derived(let hash): return Self.text(hash, behind: [])
      }
    }

    /// 16 hexadecimal digits, and what stands behind them.
    fileprivate static func text(_ hash: UInt64, behind end: [UInt8]) -> String {
      String(unsafeUninitializedCapacity: 16 + end.count) { bytes in
        write(hash, to: UnsafeMutableRawBufferPointer(bytes))
        for (index, byte) in end.enumerated() { bytes[16 + index] = byte }
        return 16 + end.count
      }
    }

    /// 16 hexadecimal digits.
    fileprivate static func write(_ hash: UInt64, to bytes: UnsafeMutableRawBufferPointer) {
      for index in 0..<16 {
        let digit = UInt8(truncatingIfNeeded: hash >> UInt64(60 - 4 * index) & 0xF)
        bytes[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
      }
    }
  }

  /// A derived name depends on the record's content alone, so it stays when lines move, when options change, and when members are
  /// written in another order.
  /// - Parameter contentHash: of the record.
  /// - Throws: `BadRecord` for a field that cannot be an id.
  func name(of fields: RecordFields, contentHash: UInt64) throws -> Name {
    guard let field else { return .derived(contentHash) }
    switch try fields.field(field, option: "id") {
    case .string(let text) where !text.isEmpty: return .given(text)
    case .int(let number): return .given(String(number))
    case .largeInteger(let digits): return .given(digits)
    case let other:
      let found = other.stringValue == nil ? other.kind : "an empty string"
      throw fields.bad("id", "field `\(field)` is \(found); expected text or an integer")
    }
  }

  var areGiven: Bool { field != nil }

  /// Takes the id of a row as text.
  /// - Returns: whether it is new.
  mutating func take(_ id: UnsafeRawBufferPointer) -> Bool { given.insert(id) }

  /// As many bytes as an id of a record's content may have: 16 digits, a hyphen and a count.
  static let derivedLength = 16 + 1 + 20

  /// Writes the id of the next row of this content.
  /// - Returns: how many bytes it has.
  mutating func write(_ contentHash: UInt64, to text: UnsafeMutableRawBufferPointer) -> Int {
    Name.write(contentHash, to: text)
    text[16] = UInt8(ascii: "-")
    var end = 17
    for digit in String(contents.count(contentHash)).utf8 {
      text[end] = digit
      end += 1
    }
    return end
  }

  /// - Throws: `RepeatedID`.
  mutating func id(_ name: Name) throws -> String {
    switch name {
    case .given(let text):
      guard given.insert(text) else { throw RepeatedID(id: text) }
      return text
    case .derived(let hash):
      return Name.text(hash, behind: Array("-\(contents.count(hash))".utf8))
    }
  }
}

/// A given id must be new, whatever `on_bad_row` says: which of two rows is meant cannot be guessed.
struct RepeatedID: Error {
  let id: String
}
