// Anthropic's `messages`.

import Experiments
import JSON

enum MessagesInterface: ServerInterface {
  static let interface = ServerModel.Interface.messages
  static let path = "/messages"
  static let lacks: Set<SamplingSettings.Name> = [.seed, .alternatives]
  static let keyHeader = (name: "x-api-key", prefix: "")
  static let headers = [(name: "anthropic-version", value: "2023-06-01")]

  static func body(_ ask: Ask, _ model: ServerModel) throws(AskProblem) -> JSONObject {
    var body = JSONObject()
    let settings = ask.settings
    if let name = model.model { body["model"] = .string(name) }
    guard settings.maximumTokens != nil || model.body["max_tokens"]?.isNull == false else {
      throw AskProblem("the interface `messages` needs a ceiling of tokens (`max_tokens`)")
    }
    body["max_tokens"] = settings.maximumTokens.map { .int(Int64($0)) }
    body["temperature"] = settings.temperature.map { .double($0) }
    body["top_p"] = settings.topP.map { .double($0) }
    body["top_k"] = settings.topK.map { .int(Int64($0)) }
    if !settings.stop.isEmpty { body["stop_sequences"] = .array(settings.stop.map { .string($0) }) }
    let messages: [Ask.Message]
    switch ask.prompt {
    case .messages(let given): messages = given
    case .text(let text): messages = [Ask.Message("user", text)]
    case .tokens: throw AskProblem("token ids can be asked of the interface `completions` alone")
    case .fields, .texts: throw AskProblem("fields can be asked of the interface `http` alone")
    }
    // The system's message stands apart.
    let system = messages.filter { $0.role == "system" }.map(\.text)
    if !system.isEmpty { body["system"] = .string(system.joined(separator: "\n\n")) }
    body["messages"] = .array(messages.filter { $0.role != "system" }.map(\.json))
    return body
  }

  static func reply(_ json: JSON, _ model: ServerModel) throws(ServerFailure) -> ServerReply {
    let response = ResponseField(json)
    var reply = ServerReply(text: "", finish: .end)
    for block in try response.member("content").elements() where try block.member("type").text() == "text" {
      reply.text += try block.member("text").text()
    }
    reply.model = try response.member("model").textIfThere()
    reply.usage = usage(json)
    switch try response.member("stop_reason").textIfThere() {
    case "end_turn": reply.finish = .end
    case "max_tokens", "model_context_window_exceeded": reply.finish = .length
    case "stop_sequence": reply.finish = .stop(try response.member("stop_sequence").textIfThere())
    case "refusal": reply.finish = .refusal
    case let other: reply.finish = .other(other ?? "no stop reason")
    }
    return reply
  }

  /// Of a prompt, with what was read from a cache of the provider's and written to it.
  static func usage(_ response: JSON) -> ServerReply.Usage? {
    guard let usage = try? ResponseField(response).member("usage"),
      let input = try? usage.member("input_tokens").count,
      let output = try? usage.member("output_tokens").count
    else { return nil }
    let cached = ["cache_read_input_tokens", "cache_creation_input_tokens"].reduce(0) {
      $0 + ((try? usage.member($1).count) ?? 0)
    }
    return ServerReply.Usage(prompt: input + cached, completion: output, reasoning: 0)
  }
}
