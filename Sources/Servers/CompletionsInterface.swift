// OpenAI's `completions`: the prompt is text, and the model goes on from it.

import Experiments
import JSON

enum CompletionsInterface: ServerInterface {
  static let interface = ServerModel.Interface.completions
  static let path = "/completions"

  static func body(_ ask: Ask, _ model: ServerModel) throws(AskProblem) -> JSONObject {
    var body = JSONObject()
    OpenAIBody.add(ask.settings, model, to: &body)
    body["logprobs"] = ask.settings.alternatives.map { .int(Int64($0)) }
    switch ask.prompt {
    case .text(let text): body["prompt"] = .string(text)
    case .tokens(let ids): body["prompt"] = .array(ids.map { .int(Int64($0)) })
    case .messages, .fields, .texts:
      throw AskProblem("the interface `completions` takes one text; a chat needs `chat` or `messages`")
    }
    return body
  }

  static func reply(_ response: JSON, _ model: ServerModel) throws(ServerFailure) -> ServerReply {
    let response = ResponseField(response)
    let choice = try OpenAIBody.choice(response)
    var reply = ServerReply(text: try choice.member("text").text(), finish: .end)
    try OpenAIBody.finish(&reply, choice, response)
    if case .other("content_filter") = reply.finish { reply.finish = .refusal }
    return reply
  }
}
