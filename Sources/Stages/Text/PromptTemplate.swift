// The prompt template of `data`: text with fields of the row in braces.

import Experiments
import JSON

/// `"SUBREDDIT: r/{subreddit}\nPOST: {post.text}\nTL;DR:"`. A field is a member of the row, or a path of
/// members joined by dots; a member whose own name holds the dots wins. `{{` and `}}` are literal braces.
struct PromptTemplate: Sendable {
  enum Piece: Sendable, Equatable {
    case text(String)
    case field(String)
  }
  let pieces: [Piece]

  /// An empty text.
  init() { pieces = [] }

  /// Why a template, or a row read through one, is wrong.
  struct Failure: Error, Equatable, CustomStringConvertible {
    let description: String
  }

  init(_ source: String) throws(Failure) {
    var pieces: [Piece] = []
    var text: [UInt8] = []
    let bytes = Array(source.utf8)
    let open = UInt8(ascii: "{")
    let close = UInt8(ascii: "}")
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      let next = position + 1 < bytes.count ? bytes[position + 1] : 0
      if (byte == open || byte == close) && next == byte {
        text.append(byte)
        position += 2
      } else if byte == open {
        guard let end = bytes[position...].firstIndex(of: close) else {
          throw Failure(
            description: "`{` at byte \(position + 1) is not closed; a literal brace is written `{{`")
        }
        let name = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
        guard !name.isEmpty, !name.utf8.contains(open) else {
          throw Failure(
            description: "`{\(name)}` at byte \(position + 1) names no field; a literal brace is written `{{`"
          )
        }
        if !text.isEmpty { pieces.append(.text(String(decoding: text, as: UTF8.self))) }
        text = []
        pieces.append(.field(name))
        position = end + 1
      } else if byte == close {
        throw Failure(
          description: "`}` at byte \(position + 1) has no `{` before it; a literal brace is written `}}`")
      } else {
        text.append(byte)
        position += 1
      }
    }
    if !text.isEmpty { pieces.append(.text(String(decoding: text, as: UTF8.self))) }
    self.pieces = pieces
  }

  /// The names in braces, in order.
  var fieldNames: [String] {
    pieces.compactMap { if case .field(let name) = $0 { name } else { nil } }
  }

  /// What its author wrote, without the fields.
  var literal: ModelText {
    var text = ModelText()
    for case .text(let literal) in pieces { text.append(literal: literal) }
    return text
  }

  /// A template with a row's fields in it.
  struct Filled {
    var text = ModelText()
    /// Where each field stands, in UTF-8 bytes; ascending.
    var fields: [(name: String, range: Range<Int>)] = []
  }

  /// Strings enter as they are, integers with all their digits, other numbers and booleans as `JSON.text` writes them.
  /// - Parameter value: the value of a field.
  /// - Throws: `Failure` for one that is no text, and what `value` throws.
  func filled(_ value: (String) throws -> JSON) throws -> Filled {
    var result = Filled()
    for piece in pieces {
      switch piece {
      case .text(let text): result.text.append(literal: text)
      case .field(let name):
        let value = try value(name)
        let start = result.text.text.utf8.count
        switch value {
        case .string(let text): result.text.append(field: text)
        case .int, .largeInteger, .double, .bool: result.text.append(field: value.text())
        case .null, .array, .object:
          let member =
            value.objectValue?.keys.first.map { "; a member of it is written `{\(name).\($0)}`" } ?? ""
          throw Failure(
            description: "field `\(name)` is \(value.kind); expected text, a number or a boolean\(member)")
        }
        result.fields.append((name, start..<result.text.text.utf8.count))
      }
    }
    return result
  }

  /// The value at `name`: a member of that exact name, or a path through nested objects.
  static func value(_ name: String, in row: JSON) -> JSON? {
    if let value = row[name] { return value }
    var value = row
    let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    for part in parts {
      guard let inner = value[String(decoding: part, as: UTF8.self)] else { return nil }
      value = inner
    }
    return value
  }

  /// The column in which a name lies that `value` understands; nil where the row has none.
  static func column(of name: String, in row: Row) -> String? {
    if row[name] != nil { return name }
    let first = String(Substring(name.utf8.prefix { $0 != UInt8(ascii: ".") }))
    return row[first] == nil ? nil : first
  }

  static func fields(of row: JSON) -> String {
    let names = row.objectValue?.keys ?? []
    if names.isEmpty { return "none" }
    let shown = names.prefix(8).map { "`\($0)`" }.joined(separator: ", ")
    return names.count > 8 ? shown + " and \(names.count - 8) more" : shown
  }
}

extension PromptTemplate.Filled {
  /// The column beside `prompt` that says where fields stand in it: `{"post": [[start, length], …]}` in UTF-8 bytes.
  static let fieldsColumn = "prompt_fields"

  /// What that column holds: every place of each of these fields.
  func places(of names: [String]) -> JSON {
    .object(
      JSONObject(
        names.map { name in
          let places = fields.filter { UTF8Key($0.name) == UTF8Key(name) }.map(\.range)
          return (name, .array(places.map { [.int(Int64($0.lowerBound)), .int(Int64($0.count))] }))
        }))
  }
}
