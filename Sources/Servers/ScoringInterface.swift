// `http`: any endpoint that gives a number for a text. The body is a template, the reply a path in the response.

import Experiments
import JSON

enum ScoringInterface: ServerInterface {
  static let interface = ServerModel.Interface.http
  static let path = ""
  static let lacks = Set(SamplingSettings.Name.allCases)

  static func body(_ ask: Ask, _ model: ServerModel) throws(AskProblem) -> JSONObject {
    let template = BodyTemplate(model.body)
    let body: JSON
    switch ask.prompt {
    case .fields(let fields): body = try template.filled(fields)
    case .texts(let shared, let each): body = try template.filled(shared, each: each)
    case .messages, .text, .tokens: throw AskProblem("the interface `http` takes fields, and no prompt")
    }
    guard let object = body.objectValue else {
      throw AskProblem("`body` is \(model.body.kind); expected an object")
    }
    return object
  }

  static func reply(_ response: JSON, _ model: ServerModel) throws(ServerFailure) -> ServerReply {
    let path = ReplyPath(model.reply ?? "")
    guard path.isOfList else {
      let score = try path.field(of: response).number()
      var reply = ServerReply(text: "\(score)", finish: .end)
      reply.scores = [0: score]
      return reply
    }
    return try reply(response, path, ids: model.replyID.map { ReplyPath($0) })
  }

  /// Scores by the number of the text in its request: what an answer calls itself, or where it stands. One that is null is left out.
  private static func reply(_ response: JSON, _ path: ReplyPath, ids: ReplyPath?) throws(ServerFailure)
    -> ServerReply
  {
    // Both are of the same list.
    let fields = try path.fields(of: response)
    let names = try ids?.fields(of: response)
    var reply = ServerReply(text: "", finish: .end)
    reply.answers = fields.count
    var seen: Set<Int> = []
    for (position, field) in fields.enumerated() {
      let index = try names.map { (names) throws(ServerFailure) in try number(names[position]) } ?? position
      guard seen.insert(index).inserted else { throw .unusable("two answers have the id \(index)") }
      if field.isThere { reply.scores[index] = try field.number() }
    }
    guard !reply.scores.isEmpty || fields.isEmpty else {
      throw .unusable("`\(path.text)` is nowhere in the response")
    }
    return reply
  }

  /// An id as it was sent, or as text.
  private static func number(_ field: ResponseField) throws(ServerFailure) -> Int {
    guard let number = field.value?.stringValue.flatMap({ Int($0) }) ?? field.value?.intValue, number >= 0
    else {
      throw .unusable("`\(field.path)` is no id that was sent")
    }
    return number
  }

  static func problem(_ model: ServerModel) -> String? {
    guard let text = model.reply, ReplyPath(text).isWhole else {
      return "`reply` has to say where the score stands in the response, such as `scores.0.value`"
    }
    guard model.body.objectValue != nil else { return "`body` is \(model.body.kind); expected an object" }
    let (path, template) = (ReplyPath(text), BodyTemplate(model.body))
    do {
      let names = try template.names()
      if names.isEmpty { return "`body` names no field, such as `{generation}`" }
      if path.isOfList, try !template.hasList(naming: "generation") {
        return
          "`reply` has a `*`, and `body` no list whose only element names `{generation}`, such as `texts: [\"{generation}\"]`"
      }
      guard let id = model.replyID else { return nil }
      guard path.isOfList, ReplyPath(id).isOfList, ReplyPath(id).isWhole, ReplyPath(id).list == path.list
      else {
        return
          "`id` has to stand in the same list as `reply`: `reply: results.*.score` and `id: results.*.id`"
      }
      return try template.hasList(naming: ServerModel.textNumberField)
        ? nil
        : "`id` is the number of a text, and `body` does not send it: write `{id}` beside `{generation}`"
    } catch { return "`body`: \(error)" }
  }
}

extension ServerModel {
  /// Of `http`: whether a request has several texts.
  package var asksByList: Bool { interface == .http && reply.map { ReplyPath($0).isOfList } ?? false }
  /// What `body` calls the number of a text in its request.
  package static let textNumberField = "id"
  /// The fields that the body of an `http` endpoint names.
  /// - Throws: `AskProblem`.
  package func bodyFields() throws(AskProblem) -> [String] { try BodyTemplate(body).names() }
}
