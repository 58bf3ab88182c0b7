// OpenAI's `chat/completions`, which most servers speak.

import Experiments
import JSON

enum ChatInterface: ServerInterface {
  static let interface = ServerModel.Interface.chat
  static let path = "/chat/completions"
  static let sendsSchema = true

  static func body(_ ask: Ask, _ model: ServerModel) throws(AskProblem) -> JSONObject {
    var body = JSONObject()
    OpenAIBody.add(ask.settings, model, to: &body)
    if let alternatives = ask.settings.alternatives {
      body["logprobs"] = true
      if alternatives > 0 { body["top_logprobs"] = .int(Int64(alternatives)) }
    }
    if let schema = ask.settings.schema {
      body["response_format"] = [
        "type": "json_schema",
        "json_schema": [
          "name": "reply", "schema": schema, "strict": .bool(JSONSchemaCheck.isStrict(schema)),
        ],
      ]
    }
    switch ask.prompt {
    case .messages(let messages): body["messages"] = .array(messages.map(\.json))
    case .text(let text): body["messages"] = .array([Ask.Message("user", text).json])
    case .tokens: throw AskProblem("token ids can be asked of the interface `completions` alone")
    case .fields, .texts: throw AskProblem("fields can be asked of the interface `http` alone")
    }
    return body
  }

  static func reply(_ response: JSON, _ model: ServerModel) throws(ServerFailure) -> ServerReply {
    let response = ResponseField(response)
    let choice = try OpenAIBody.choice(response)
    let message = try choice.member("message")
    guard message.isThere else { throw .unusable("`\(message.path)` is missing") }
    let refusal = try message.member("refusal").textIfThere()
    let content = try text(message.member("content"))
    var reply = ServerReply(text: content ?? refusal ?? "", finish: .end)
    try OpenAIBody.finish(&reply, choice, response)
    if let refusal, !refusal.isEmpty {
      reply.text = content.flatMap { $0.isEmpty ? nil : $0 } ?? refusal
      reply.finish = .refusal
    } else if case .other("content_filter") = reply.finish {
      reply.finish = .refusal
    } else if content == nil, reply.finish == .end, !hasThoughts(message) {
      // Cut while it was still thinking, a call of a tool: no text is right then.
      throw .unusable("`\(message.path).content` is missing, and there is no refusal")
    }
    return reply
  }

  private static func hasThoughts(_ message: ResponseField) -> Bool {
    ["reasoning_content", "reasoning"].contains { (try? message.member($0))?.isThere == true }
  }

  /// Text, or a list of parts that are text.
  private static func text(_ content: ResponseField) throws(ServerFailure) -> String? {
    guard content.isThere else { return nil }
    guard content.value?.arrayValue != nil else { return try content.text() }
    var text = ""
    for part in try content.elements() { text += try part.member("text").text() }
    return text
  }
}

extension Ask.Message {
  var json: JSON { ["role": .string(role), "content": .string(text)] }
}
