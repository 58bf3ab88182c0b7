// What a server replied, and why there is no reply.

/// The reply to one question, whatever the interface.
package struct ServerReply: Sendable, Equatable {
  package enum Finish: Sendable, Equatable {
    /// The model ended it.
    case end
    /// It was cut at the ceiling of tokens.
    case length
    /// A stop text came; which, where the server says so.
    case stop(String?)
    /// The model, or its provider, declines to answer. The text is what it says about it.
    case refusal
    /// Anything else, by the server's own name for it.
    case other(String)
  }

  package struct Usage: Sendable, Equatable {
    package var prompt: Int
    package var completion: Int
    /// Of the completion: tokens that were thought and not shown.
    package var reasoning: Int
  }

  package struct Token: Sendable, Equatable {
    package let text: String
    package let logProbability: Double
    package let id: Int?
  }

  package var text: String
  package var finish: Finish
  /// Nil where the server says nothing of it that can be believed.
  package var usage: Usage?
  /// What the server calls the model that replied.
  package var model: String?
  package var fingerprint: String?
  /// With log-probabilities; nil where none came.
  package var tokens: [Token]?
  /// Of the reply's tokens, where the server gives them.
  package var tokenIDs: [Int]?
  /// The likeliest first tokens, as the server orders them.
  package var firstAlternatives: [Token] = []
  /// Of `http`: by the number of the text in its request, which is 0 where there is one.
  package var scores: [Int: Double] = [:]
  /// Of `http`: for how many texts it has an answer, be it null.
  package var answers = 1

  package init(text: String, finish: Finish) { (self.text, self.finish) = (text, finish) }
}

/// Why a request has no reply.
package struct ServerFailure: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: Sendable, Equatable {
    /// No response: worth another try.
    case unreachable
    /// The server cannot answer now: worth another try.
    case busy
    /// A response that is none: worth few tries, since it may have been paid for.
    case unusable
    /// This request is refused, and would be again.
    case rejected
    /// No request would do better: the key, the quota, the address.
    case hopeless(Reason)
  }
  package enum Reason: Sendable, Equatable { case key, quota, missing, address, noLibrary }

  package let kind: Kind
  /// In few characters: `429`, `connection cut`.
  package let label: String
  /// A clause for a person.
  package let description: String
  /// In seconds: when the server wants to be asked again.
  package var wait: Double?
  /// Whether it says that it is asked too much.
  package var isOverload = false
  /// What a response that is no reply took.
  package var usage: ServerReply.Usage?

  package init(_ kind: Kind, _ label: String, _ description: String) {
    (self.kind, self.label, self.description) = (kind, label, description)
  }

  static func unusable(_ description: String) -> ServerFailure {
    ServerFailure(.unusable, "unusable response", description)
  }
}
