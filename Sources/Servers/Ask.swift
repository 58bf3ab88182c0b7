// What is asked of a language model behind a server, before it is put into one server's words.

import Experiments
import JSON

/// One question. Equal questions have equal bodies, whoever asks.
package struct Ask: Sendable {
  package enum Prompt: Sendable {
    /// A chat.
    case messages([Message])
    /// Text that the model goes on from.
    case text(String)
    /// Token ids that the model goes on from, of its own tokenizer.
    case tokens([Int32])
    /// What the placeholders of a body's template stand for, by name.
    case fields([String: JSON])
    /// The same of several texts in one request: what all of them have, and what each has for itself.
    case texts([String: JSON], each: [[String: JSON]])
  }

  package struct Message: Sendable, Equatable {
    /// `system`, `user`, `assistant`.
    package let role: String
    package let text: String
    package init(_ role: String, _ text: String) { (self.role, self.text) = (role, text) }
  }

  package var prompt: Prompt
  package var settings: SamplingSettings

  package init(_ prompt: Prompt, _ settings: SamplingSettings = SamplingSettings()) {
    (self.prompt, self.settings) = (prompt, settings)
  }
}

/// How a reply is drawn. What is nil is not sent: the server has its own.
package struct SamplingSettings: Sendable, Equatable {
  /// Tokens at which a reply is cut.
  package var maximumTokens: Int?
  package var temperature: Double?
  package var topP: Double?
  package var topK: Int?
  package var stop: [String] = []
  package var seed: Int?
  /// Log-probabilities of the reply's tokens, with so many alternatives for each.
  package var alternatives: Int?
  /// What the reply has to satisfy as JSON.
  package var schema: JSON?

  package init() {}

  /// A setting that not every interface has, with the name by which a message calls it.
  package enum Name: String, CaseIterable, Sendable {
    case temperature
    case topP = "top_p"
    case topK = "top_k"
    case stop
    case seed
    case alternatives = "log-probabilities"
    case maximumTokens = "max_tokens"
  }

  /// What is asked for, in a fixed order.
  package var names: [Name] {
    Name.allCases.filter {
      switch $0 {
      case .temperature: temperature != nil
      case .topP: topP != nil
      case .topK: topK != nil
      case .stop: !stop.isEmpty
      case .seed: seed != nil
      case .alternatives: alternatives != nil
      case .maximumTokens: maximumTokens != nil
      }
    }
  }
}

/// Why a question cannot be asked in a server's words: the experiment's fault, never the server's.
package struct AskProblem: Error, Sendable, Equatable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
