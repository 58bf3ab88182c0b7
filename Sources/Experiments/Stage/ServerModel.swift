// A model behind a server, as an experiment names it.

import JSON
import System

/// `models: {judge: {server: https://HOST/v1, model: NAME, …}}`
package struct ServerModel: Sendable, Equatable {
  /// What is spoken.
  package enum Interface: String, CaseIterable, Sendable {
    /// OpenAI's `chat/completions`.
    case chat
    /// OpenAI's `completions`: the prompt is text, and is not put into a chat.
    case completions
    /// Anthropic's `messages`.
    case messages
    /// An endpoint of one's own that gives a score: `body` is a template, `reply` a path.
    case http
  }

  /// How requests reach the server: how, not what, and in no key.
  package enum Mode: String, CaseIterable, Sendable {
    /// One by one, each with a reply at once.
    case live
    /// Many at once, OpenAI's batches or Anthropic's, whose replies come within a day.
    case batch
  }

  /// As the experiment calls it; in no key.
  package var name = ""
  /// Without a slash at its end: `https://HOST/v1`; of `http` the endpoint itself.
  package var url: String
  /// What the server calls the model; nil where it has but one.
  package var model: String?
  package var interface = Interface.chat
  package var mode = Mode.live
  /// The variable of the environment with the key; nil sends none.
  package var key: String?
  /// The header that the key is sent in, as it is; nil for the interface's own.
  package var keyHeader: String?
  /// What stands for the server in keys and in the journal: host, port and path of its address unless the experiment says otherwise.
  package var identity: String
  /// Further members of each request's body; of `http` the whole body, with `{prompt}`, `{generation}` in its texts.
  package var body = JSON.object(JSONObject())
  /// Of `http`: where the score stands in the response, names and numbers joined by dots.
  package var reply: String?
  /// Of `http` whose requests have several texts: where an answer says which text it is of; nil where it says so by its place.
  package var replyID: String?
  /// Which of the replies to one and the same request: another number asks anew.
  package var attempt = 1
  package var limits = Limits()

  /// Nil of one that runs already; `url` is the path of its interface then.
  package var serve: Serve?

  /// A server that a stage starts on the model at hand, and ends.
  package struct Serve: Sendable, Equatable {
    /// Its words, with `{model}`, the folder of the model, and `{port}` in them.
    package var run: [String]
    /// The path that answers 200 when it can be asked.
    package var ready = "/health"
    /// In seconds: how long it may take until then.
    package var within = 600.0
    /// Variables that it is given beside the usual ones.
    package var environment: [String] = []
    package init(run: [String]) { self.run = run }
  }

  /// How, not what: in no key.
  package struct Limits: Sendable, Equatable {
    /// Requests under way at most.
    package var concurrency = 64
    package var requestsPerMinute: Int?
    package var tokensPerMinute: Int?
    /// How often a request is sent until it is given up.
    package var attempts = 8
    /// In seconds: for a connection, for the first byte, for the whole response.
    package var connect = 10.0
    package var firstByte = 300.0
    package var whole = 600.0
    /// In seconds: what a server may ask to be left alone for; one that asks for more ends the stage.
    package var longestPause = 900.0
    /// In seconds: when a batch is first asked after; then less and less often, down to a twelfth as often.
    package var poll = 5.0
    /// Tokens that a stage may be charged for, replies of earlier runs not counted; it stops before.
    package var tokens: Int?
    /// The same in money, at the user's prices.
    package var money: Double?
    package var price: Price?
    package init() {}
  }

  /// What tokens cost, for a million of them.
  package struct Price: Sendable, Equatable {
    package let input: Double
    package let output: Double
    /// `USD`
    package let currency: String
    package init(input: Double, output: Double, currency: String) {
      (self.input, self.output, self.currency) = (input, output, currency)
    }

    package func cost(promptTokens: Double, completionTokens: Double) -> Double {
      (promptTokens * input + completionTokens * output) / 1e6
    }
  }

  package init(url: String, identity: String) {
    self.url = url
    self.identity = identity
  }

  /// What stands for it in the keys of what it is asked by. Of the address only the identity.
  package var keyPart: JSON {
    var object = JSONObject([
      (serve == nil ? "server" : "serve", .string(identity)), ("interface", .string(interface.rawValue)),
      ("body", body),
    ])
    if let model { object["model"] = .string(model) }
    if let reply { object["reply"] = .string(reply) }
    if let replyID { object["id"] = .string(replyID) }
    if attempt != 1 { object["attempt"] = .int(Int64(attempt)) }
    return .object(object)
  }

  package var digest: Digest { Digest.of(text: keyPart.text(.canonical)) }
}

extension ServerModel {
  /// Of one that a stage starts: its replies are those of the model that it serves.
  package func serving(_ model: Digest?) -> ServerModel {
    guard serve != nil, let model else { return self }
    var server = self
    server.identity += " \(model.hex)"
    return server
  }
}

extension ServerModel {
  /// As a worker is given it; the key's name, never its value.
  package var json: JSON {
    func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
    func number(_ value: Int?) -> JSON { value.map { .int(Int64($0)) } ?? .null }
    return [
      "name": .string(name), "url": .string(url), "model": text(model),
      "interface": .string(interface.rawValue), "key": text(key),
      "mode": .string(mode.rawValue),
      "key_header": text(keyHeader), "identity": .string(identity), "body": body, "reply": text(reply),
      "id": text(replyID),
      "attempt": .int(Int64(attempt)), "concurrency": .int(Int64(limits.concurrency)),
      "requests_per_minute": number(limits.requestsPerMinute),
      "tokens_per_minute": number(limits.tokensPerMinute), "attempts": .int(Int64(limits.attempts)),
      "connect": .double(limits.connect), "first_byte": .double(limits.firstByte),
      "whole": .double(limits.whole), "longest_pause": .double(limits.longestPause),
      "poll": .double(limits.poll),
      "serve": serve.map {
        [
          "run": .array($0.run.map { .string($0) }), "ready": .string($0.ready), "within": .double($0.within),
          "environment": .array($0.environment.map { .string($0) }),
        ]
      } ?? .null,
      "tokens": number(limits.tokens), "money": limits.money.map { .double($0) } ?? .null,
      "price": limits.price.map {
        ["input": .double($0.input), "output": .double($0.output), "currency": .string($0.currency)]
      } ?? .null,
    ]
  }

  package init?(json: JSON) {
    guard let url = json["url"]?.stringValue, let identity = json["identity"]?.stringValue,
      let interface = json["interface"]?.stringValue.flatMap(Interface.init(rawValue:)),
      let attempt = json["attempt"]?.intValue, let concurrency = json["concurrency"]?.intValue,
      let attempts = json["attempts"]?.intValue, let connect = json["connect"]?.doubleValue,
      let firstByte = json["first_byte"]?.doubleValue, let whole = json["whole"]?.doubleValue
    else { return nil }
    self.init(url: url, identity: identity)
    (self.interface, self.attempt) = (interface, attempt)
    name = json["name"]?.stringValue ?? ""
    (model, key, reply) = (json["model"]?.stringValue, json["key"]?.stringValue, json["reply"]?.stringValue)
    (keyHeader, replyID) = (json["key_header"]?.stringValue, json["id"]?.stringValue)
    body = json["body"] ?? .object(JSONObject())
    (limits.concurrency, limits.attempts) = (concurrency, attempts)
    limits.requestsPerMinute = json["requests_per_minute"]?.intValue
    limits.tokensPerMinute = json["tokens_per_minute"]?.intValue
    (limits.connect, limits.firstByte, limits.whole) = (connect, firstByte, whole)
    limits.longestPause = json["longest_pause"]?.doubleValue ?? limits.longestPause
    limits.poll = json["poll"]?.doubleValue ?? limits.poll
    mode = json["mode"]?.stringValue.flatMap(Mode.init(rawValue:)) ?? .live
    if let serve = json["serve"], let run = serve["run"]?.arrayValue?.compactMap(\.stringValue),
      let ready = serve["ready"]?.stringValue, let within = serve["within"]?.doubleValue
    {
      self.serve = Serve(run: run)
      self.serve?.ready = ready
      self.serve?.within = within
      self.serve?.environment = serve["environment"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }
    limits.tokens = json["tokens"]?.intValue
    limits.money = json["money"]?.doubleValue
    if let price = json["price"], let input = price["input"]?.doubleValue,
      let output = price["output"]?.doubleValue, let currency = price["currency"]?.stringValue
    {
      limits.price = Price(input: input, output: output, currency: currency)
    }
  }
}
