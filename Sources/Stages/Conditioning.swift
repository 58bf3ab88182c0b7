// Conditioning: the text or token put before a prompt to say which class of answer is wanted.

import JSON
import Models
import Runner

/// How a model was conditioned: one prefix for each class, best first. Kept in the model's `plumb.json`, and
/// never glued into a row's prompt.
struct Conditioning: Sendable, Equatable {
  enum Kind: String, Sendable {
    /// Each prefix is one added token.
    case tokens
    /// Prefixes are ordinary text.
    case text
  }
  let kind: Kind
  let prefixes: [String]

  /// `_QUANTILE_TOKEN_0_` and so on. Source: METHODS 1.3.
  static func quantileTokens(_ classes: Int) -> Conditioning {
    Conditioning(kind: .tokens, prefixes: (0..<classes).map { "_QUANTILE_TOKEN_\($0)_" })
  }

  init(kind: Kind, prefixes: [String]) {
    self.kind = kind
    self.prefixes = prefixes
  }

  /// The conditioning a model carries, if any.
  /// - Throws: `InputError` when its `plumb.json` is not ours.
  init?(_ checkpoint: Checkpoint) throws {
    guard let json = checkpoint.plumb?["conditioning"], !json.isNull else { return nil }
    guard let kind = json["kind"]?.stringValue.flatMap(Kind.init(rawValue:)),
      let prefixes = json["prefixes"]?.arrayValue?.map(\.stringValue), !prefixes.isEmpty,
      !prefixes.contains(nil)
    else {
      throw InputError(
        "\(checkpoint.path)/plumb.json: `conditioning` needs `kind` (tokens or text) and `prefixes`")
    }
    self.init(kind: kind, prefixes: prefixes.compactMap { $0 })
  }

  var json: JSON {
    ["kind": .string(kind.rawValue), "prefixes": .array(prefixes.map { .string($0) })]
  }

  /// The tokens of a prefix; a token prefix that the tokenizer lacks is the model's fault.
  func tokens(_ prefix: String, _ tokenizer: Tokenizer) throws -> [Int32] {
    switch kind {
    case .text: return tokenizer.encode(prefix)
    case .tokens:
      guard let id = tokenizer.id(of: prefix) else {
        throw InputError("the tokenizer has no token `\(prefix)`, which the model's plumb.json names")
      }
      return [id]
    }
  }
}
