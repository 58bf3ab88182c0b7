// Language models behind a server: what each kind of server is sent, and how its response is read.

import Experiments
import JSON

/// How one kind of server is spoken to. One file each, and one line in `serverInterfaces`.
package protocol ServerInterface: Sendable {
  static var interface: ServerModel.Interface { get }
  /// Behind the model's address.
  static var path: String { get }
  /// What is not sent, since such a server has no word for it.
  static var lacks: Set<SamplingSettings.Name> { get }
  /// Whether a schema is sent along. It is checked here in any case.
  static var sendsSchema: Bool { get }
  /// Which header holds the key, and what stands before it there.
  static var keyHeader: (name: String, prefix: String) { get }
  static var headers: [(name: String, value: String)] { get }
  /// The body before the members that the experiment adds.
  static func body(_ ask: Ask, _ model: ServerModel) throws(AskProblem) -> JSONObject
  /// Of a response that says of no error.
  static func reply(_ response: JSON, _ model: ServerModel) throws(ServerFailure) -> ServerReply
  /// What a response says of tokens; nil where nothing can be believed. Of one that is no reply, too: it may have been paid for.
  static func usage(_ response: JSON) -> ServerReply.Usage?
}

extension ServerInterface {
  package static var lacks: Set<SamplingSettings.Name> { [] }
  package static var sendsSchema: Bool { false }
  package static var keyHeader: (name: String, prefix: String) { ("Authorization", "Bearer ") }
  package static var headers: [(name: String, value: String)] { [] }
  package static func usage(_ response: JSON) -> ServerReply.Usage? { OpenAIBody.usage(response) }
}

/// In the order in which `interface` lists them.
package let serverInterfaces: [any ServerInterface.Type] = [
  ChatInterface.self, CompletionsInterface.self, MessagesInterface.self, ScoringInterface.self,
]

extension ServerModel {
  package var serverInterface: any ServerInterface.Type {
    for candidate in serverInterfaces where candidate.interface == interface { return candidate }
    preconditionFailure("`\(interface.rawValue)` is not in `serverInterfaces`")
  }

  /// Where requests go.
  package var endpoint: String { url + serverInterface.path }

  /// The whole body of a request. The experiment's members win; one of them that is null takes the member out.
  /// - Throws: `AskProblem`.
  package func requestBody(_ ask: Ask) throws(AskProblem) -> JSON {
    let serverInterface = serverInterface
    if let name = ask.settings.names.first(where: { serverInterface.lacks.contains($0) }) {
      throw AskProblem(
        "`\(name.rawValue)` cannot be asked of a server with the interface `\(interface.rawValue)`")
    }
    var body = try serverInterface.body(ask, self)
    guard interface != .http, let members = self.body.objectValue?.members else { return .object(body) }
    for (name, value) in members where !(value.isNull && name == Self.otherCeiling) {
      body[name] = value.isNull ? JSON?.none : value
    }
    return .object(body)
  }

  /// What is wrong with the description, for whoever checks an experiment; nil where nothing is.
  package var problem: String? {
    let host = url.utf8.drop { $0 != UInt8(ascii: "/") }.dropFirst(2).prefix { $0 != UInt8(ascii: "/") }
    if host.contains(UInt8(ascii: "@")) {
      return "the server's address has a name or a password in it; `key: {env: NAME}` names a key"
    }
    switch interface {
    case .http: return ScoringInterface.problem(self)
    case .chat, .completions, .messages:
      return body.objectValue == nil
        ? "`body` is \(body.kind); expected an object"
        : ["n", "stream", "best_of"].first { body[$0] != nil }.map {
          "`body` has `\($0)`: each sample is a request of its own, and is read whole"
        }
    }
  }

  /// The newer name of `max_tokens`, which some models insist on: sent where `body` has it, be it as null.
  static let otherCeiling = "max_completion_tokens"

  var ceilingName: String { body[Self.otherCeiling] == nil ? "max_tokens" : Self.otherCeiling }
}
