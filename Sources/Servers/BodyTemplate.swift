// The body of a request to an endpoint, as an experiment writes it: `{name}` in its texts stands for a field.

import Experiments
import JSON

struct BodyTemplate {
  private let template: JSON

  init(_ template: JSON) { self.template = template }

  /// The fields that it names, each once, as they come.
  func names() throws(AskProblem) -> [String] { try Self.names(template) }

  /// Whether it has a list whose only element names a field: written once for each text.
  func hasList(naming field: String) throws(AskProblem) -> Bool { try Self.hasList(template, field) }

  func filled(_ fields: [String: JSON]) throws(AskProblem) -> JSON { try Self.filled(template, fields, []) }

  /// For several texts: a list whose only element names a field of theirs has an element for each of them.
  /// - Parameter shared: what all of them have.
  func filled(_ shared: [String: JSON], each: [[String: JSON]]) throws(AskProblem) -> JSON {
    try Self.filled(template, shared, each)
  }

  // MARK: - Walking

  private static func names(_ template: JSON) throws(AskProblem) -> [String] {
    var names: [String] = []
    switch template {
    case .string(let text): for case .field(let name) in try pieces(text) { names.append(name) }
    case .array(let values): for value in values { names += try self.names(value) }
    case .object(let object): for (_, value) in object.members { names += try self.names(value) }
    default: break
    }
    return names.distinct()
  }

  private static func hasList(_ template: JSON, _ field: String) throws(AskProblem) -> Bool {
    switch template {
    case .array(let values):
      if values.count == 1, try names(values[0]).contains(field) { return true }
      for value in values where try hasList(value, field) { return true }
    case .object(let object):
      for (_, value) in object.members where try hasList(value, field) { return true }
    default: break
    }
    return false
  }

  private static func filled(_ template: JSON, _ fields: [String: JSON], _ each: [[String: JSON]])
    throws(AskProblem) -> JSON
  {
    switch template {
    case .string(let source): return try filled(source, fields)
    case .array(let values):
      var result: [JSON] = []
      if values.count == 1, let first = each.first, try names(values[0]).contains(where: { first[$0] != nil })
      {
        for own in each {
          result.append(try filled(values[0], fields.merging(own) { _, own in own }, []))
        }
        return .array(result)
      }
      for value in values { result.append(try filled(value, fields, each)) }
      return .array(result)
    case .object(let object):
      var members: [JSONObject.Member] = []
      for (name, value) in object.members { members.append((name, try filled(value, fields, each))) }
      return .object(JSONObject(members))
    default: return template
    }
  }

  private static func filled(_ source: String, _ fields: [String: JSON]) throws(AskProblem) -> JSON {
    let pieces = try pieces(source)
    func value(_ name: String) throws(AskProblem) -> JSON {
      guard let value = fields[name] else { throw AskProblem("there is no `\(name)`, which `body` names") }
      return value
    }
    // A field alone keeps its type.
    if pieces.count == 1, case .field(let name) = pieces[0] { return try value(name) }
    var text = ""
    for piece in pieces {
      switch piece {
      case .text(let literal): text += literal
      case .field(let name):
        let value = try value(name)
        text += value.stringValue ?? value.text()
      }
    }
    return .string(text)
  }

  // MARK: - Pieces of a text

  private enum Piece {
    case text(String)
    case field(String)
  }

  /// `{{` and `}}` are literal braces.
  private static func pieces(_ source: String) throws(AskProblem) -> [Piece] {
    var pieces: [Piece] = []
    var literal: [UInt8] = []
    let (open, close) = (UInt8(ascii: "{"), UInt8(ascii: "}"))
    let bytes = Array(source.utf8)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if byte == open || byte == close, index + 1 < bytes.count, bytes[index + 1] == byte {
        literal.append(byte)
        index += 2
      } else if byte == open {
        guard let end = bytes[index...].firstIndex(of: close), end > index + 1 else {
          throw AskProblem("`{` at byte \(index + 1) names no field; a literal brace is written `{{`")
        }
        if !literal.isEmpty { pieces.append(.text(String(decoding: literal, as: UTF8.self))) }
        literal = []
        pieces.append(.field(String(decoding: bytes[(index + 1)..<end], as: UTF8.self)))
        index = end + 1
      } else if byte == close {
        throw AskProblem("`}` at byte \(index + 1) has no `{` before it; a literal brace is written `}}`")
      } else {
        literal.append(byte)
        index += 1
      }
    }
    if !literal.isEmpty || pieces.isEmpty { pieces.append(.text(String(decoding: literal, as: UTF8.self))) }
    return pieces
  }
}
