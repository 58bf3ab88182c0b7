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

  /// Without a slash at its end: `https://HOST/v1`; of `http` the endpoint itself.
  package var url: String
  /// What the server calls the model; nil where it has but one.
  package var model: String?
  package var interface = Interface.chat
  /// The variable of the environment with the key; nil sends none.
  package var key: String?
  /// The header that holds the key, where it is not the interface's own: `x-goog-api-key`.
  package var keyHeader: String?
  /// What stands for the server in keys and in the journal: host and path of its address unless the experiment says otherwise.
  package var identity: String
  /// Further members of each request's body; of `http` the whole body, with `{prompt}`, `{generation}` in its texts.
  package var body = JSON.object(JSONObject())
  /// Of `http`: where the score stands in the response, names and numbers joined by dots.
  package var reply: String?
  package var limits = Limits()

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
    package init() {}
  }

  package init(url: String, identity: String) {
    self.url = url
    self.identity = identity
  }

  /// What stands for the model in keys.
  package var digest: Digest {
    Digest.of(
      text: ([
        "server": .string(identity), "model": model.map { .string($0) } ?? .null,
        "interface": .string(interface.rawValue), "body": body,
        "reply": reply.map { .string($0) } ?? .null,
      ] as JSON).text(.canonical))
  }
}
