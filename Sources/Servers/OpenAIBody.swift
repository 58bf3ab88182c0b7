// What OpenAI's two interfaces share: the names of sampling settings, the choices, and log-probabilities in the forms in which servers
// give them.

import Experiments
import JSON

enum OpenAIBody {
  static func add(_ settings: SamplingSettings, _ model: ServerModel, to body: inout JSONObject) {
    if let name = model.model { body["model"] = .string(name) }
    body[model.ceilingName] = settings.maximumTokens.map { .int(Int64($0)) }
    body["temperature"] = settings.temperature.map { .double($0) }
    body["top_p"] = settings.topP.map { .double($0) }
    body["top_k"] = settings.topK.map { .int(Int64($0)) }
    if !settings.stop.isEmpty { body["stop"] = .array(settings.stop.map { .string($0) }) }
    body["seed"] = settings.seed.map { .int(Int64($0)) }
  }

  /// The choice of index 0, or the first.
  static func choice(_ response: ResponseField) throws(ServerFailure) -> ResponseField {
    let choices = try response.member("choices").elements()
    for choice in choices where try choice.member("index").value?.intValue == 0 { return choice }
    guard let first = choices.first else { throw .unusable("`choices` is empty") }
    _ = try first.member("index")
    return first
  }

  /// - Parameter reply: has its text.
  static func finish(_ reply: inout ServerReply, _ choice: ResponseField, _ response: ResponseField)
    throws(ServerFailure)
  {
    reply.model = try response.member("model").textIfThere()
    reply.fingerprint = try response.member("system_fingerprint").textIfThere()
    reply.usage = usage(response.value ?? .null)
    switch try choice.member("finish_reason").textIfThere() {
    case "stop":
      // vLLM and SGLang say what ended it: a text, a token, or nothing where the model did.
      let reasons = [try choice.member("stop_reason"), try choice.member("matched_stop")]
      reply.finish = reasons.lazy.compactMap { $0.value?.stringValue }.first.map { .stop($0) } ?? .end
    case "length": reply.finish = .length
    case let other: reply.finish = .other(other ?? "no finish reason")
    }
    try addTokens(choice, to: &reply)
  }

  static func usage(_ response: JSON) -> ServerReply.Usage? {
    guard let usage = try? ResponseField(response).member("usage"),
      let prompt = try? usage.member("prompt_tokens").count
    else { return nil }
    // A reply of no tokens is left out by some.
    let completion = try? usage.member("completion_tokens")
    guard let completion, let tokens = completion.isThere ? completion.count : 0 else { return nil }
    let details = try? usage.member("completion_tokens_details").member("reasoning_tokens").count
    return ServerReply.Usage(prompt: prompt, completion: tokens, reasoning: min(details ?? 0, tokens))
  }

  private static func addTokens(_ choice: ResponseField, to reply: inout ServerReply) throws(ServerFailure) {
    let ids = try choice.member("token_ids")
    if ids.isThere { reply.tokenIDs = try integers(ids) }
    let logs = try choice.member("logprobs")
    guard logs.isThere else { return }
    let content = try logs.member("content")
    if content.isThere {
      try addContent(try content.elements(), to: &reply)
    } else if try logs.member("tokens").isThere {
      try addLists(logs, to: &reply)
    }
    if reply.tokenIDs == nil, let tokens = reply.tokens, !tokens.isEmpty {
      let ids = tokens.compactMap(\.id)
      if ids.count == tokens.count { reply.tokenIDs = ids }
    }
  }

  /// `{"content": [{"token", "logprob", "top_logprobs": […]}, …]}`
  private static func addContent(_ content: [ResponseField], to reply: inout ServerReply)
    throws(ServerFailure)
  {
    var tokens: [ServerReply.Token] = []
    for field in content { tokens.append(try token(field)) }
    reply.tokens = tokens
    guard let first = content.first else { return }
    let top = try first.member("top_logprobs")
    guard top.isThere else { return }
    for field in try top.elements() { reply.firstAlternatives.append(try token(field)) }
  }

  private static func token(_ field: ResponseField) throws(ServerFailure) -> ServerReply.Token {
    ServerReply.Token(
      text: try field.member("token").text(), logProbability: try field.member("logprob").number(),
      id: try field.member("id").value?.intValue)
  }

  /// `{"tokens": […], "token_logprobs": […], "top_logprobs": [{text: number}, …]}`
  private static func addLists(_ logs: ResponseField, to reply: inout ServerReply) throws(ServerFailure) {
    let texts = try logs.member("tokens").elements()
    let numbers = try logs.member("token_logprobs").elements()
    guard texts.count == numbers.count else {
      throw .unusable(
        "`\(logs.path)` has \(texts.count) tokens and \(numbers.count) log-probabilities")
    }
    var tokens: [ServerReply.Token] = []
    for (text, number) in zip(texts, numbers) {
      tokens.append(
        ServerReply.Token(text: try text.text(), logProbability: try number.number(), id: nil))
    }
    reply.tokens = tokens
    let top = try logs.member("top_logprobs")
    guard top.isThere, let first = try top.elements().first, first.isThere else { return }
    for (name, _) in first.value?.objectValue?.members ?? [] {
      reply.firstAlternatives.append(
        ServerReply.Token(text: name, logProbability: try first.member(name).number(), id: nil))
    }
  }

  private static func integers(_ field: ResponseField) throws(ServerFailure) -> [Int] {
    var integers: [Int] = []
    for element in try field.elements() { integers.append(try element.integer()) }
    return integers
  }
}
