// `http`: any endpoint that gives a number for a text. The body is a template, the reply a path in the response.

import JSON
import Runner

enum ScoringInterface: ServerInterface {
  static let interface = ServerModel.Interface.http
  static let path = ""
  static let lacks = Set(SamplingSettings.Name.allCases)

  static func body(_ ask: Ask, _ model: ServerModel) throws(AskProblem) -> JSONObject {
    guard case .fields(let fields) = ask.prompt else {
      throw AskProblem("the interface `http` takes fields, and no prompt")
    }
    guard let body = try filled(model.body, fields).objectValue else {
      throw AskProblem("`body` is \(model.body.kind); expected an object")
    }
    return body
  }

  static func reply(_ response: JSON, _ model: ServerModel) throws(ServerFailure) -> ServerReply {
    var field = ResponseField(response)
    for name in steps(model.reply ?? "") {
      if field.value?.arrayValue != nil, let index = Int(name) {
        let elements = try field.elements()
        guard elements.indices.contains(index) else {
          throw .unusable("`\(field.path)` has \(elements.count) elements, and none of index \(index)")
        }
        field = elements[index]
      } else {
        field = try field.member(name)
      }
    }
    let score = try field.number()
    var reply = ServerReply(text: "\(score)", finish: .end)
    reply.score = score
    return reply
  }

  static func problem(_ model: ServerModel) -> String? {
    guard let path = model.reply, !steps(path).isEmpty, !steps(path).contains("") else {
      return "`reply` has to say where the score stands in the response, such as `scores.0.value`"
    }
    guard model.body.objectValue != nil else { return "`body` is \(model.body.kind); expected an object" }
    do { if try names(model.body).isEmpty { return "`body` names no field, such as `{generation}`" } } catch {
      return "`body`: \(error)"
    }
    return nil
  }

  /// The fields that a body's template names, each once, as they come.
  static func names(_ body: JSON) throws(AskProblem) -> [String] {
    var names: [String] = []
    switch body {
    case .string(let text): for case .field(let name) in try pieces(text) { names.append(name) }
    case .array(let values): for value in values { names += try self.names(value) }
    case .object(let object): for (_, value) in object.members { names += try self.names(value) }
    default: break
    }
    return names.distinct()
  }

  private static func steps(_ path: String) -> [String] {
    path.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
  }

  private static func filled(_ template: JSON, _ fields: [String: JSON]) throws(AskProblem) -> JSON {
    switch template {
    case .string(let source):
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
    case .array(let values):
      var result: [JSON] = []
      for value in values { result.append(try filled(value, fields)) }
      return .array(result)
    case .object(let object):
      var members: [JSONObject.Member] = []
      for (name, value) in object.members { members.append((name, try filled(value, fields))) }
      return .object(JSONObject(members))
    default: return template
    }
  }

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

extension ServerModel {
  /// The fields that the body of an `http` endpoint names.
  /// - Throws: `AskProblem`.
  package func bodyFields() throws(AskProblem) -> [String] { try ScoringInterface.names(body) }
}
