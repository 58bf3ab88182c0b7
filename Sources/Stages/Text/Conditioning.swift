// Conditioning: the text or token put before a prompt to say which class of answer is wanted.

import JSON
import Models
import Runner
import System

/// How a model was conditioned: one prefix for each class, best first. Kept in the model's `plumb.json`, and
/// never glued into a row's prompt.
package struct Conditioning: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// Each prefix is one added token.
    case tokens
    /// Prefixes are ordinary text.
    case text
  }
  package let kind: Kind
  package let prefixes: [String]
  /// What stands before every prefix, such as the token that begins a document; empty for nothing. Many models use
  /// their first position as a rest for attention, whatever token stands there: a class said there is hardly read.
  package let opening: String

  /// `_QUANTILE_TOKEN_0_` and so on. Source: METHODS 1.3.
  static func quantileTokens(_ classes: Int, after opening: String = "") -> Conditioning {
    Conditioning(
      kind: .tokens, prefixes: (0..<classes).map { "_QUANTILE_TOKEN_\($0)_" }, opening: opening)
  }

  package init(kind: Kind, prefixes: [String], opening: String = "") {
    self.kind = kind
    self.prefixes = prefixes
    self.opening = opening
  }

  /// The conditioning a model carries, if any.
  /// - Throws: `InputError` when its `plumb.json` is not ours.
  init?(_ checkpoint: Checkpoint) throws {
    guard let file = checkpoint.plumb else { return nil }
    func failure(_ key: String, _ expected: String, _ found: JSON?) -> InputError {
      let found = found.map { quoted($0.text(), limit: 80) } ?? "nothing"
      return InputError("\(checkpoint.path)/plumb.json: `\(key)`: expected \(expected), found \(found)")
    }
    if let format = file["format"], format != 1 { throw failure("format", "1", format) }
    guard let json = file["conditioning"], !json.isNull else { return nil }
    guard json.objectValue != nil else { throw failure("conditioning", "an object or null", json) }
    guard let kind = json["kind"]?.stringValue.flatMap(Kind.init(rawValue:)) else {
      throw failure("conditioning.kind", "`tokens` or `text`", json["kind"])
    }
    guard let elements = json["prefixes"]?.arrayValue, !elements.isEmpty else {
      throw failure("conditioning.prefixes", "a list of strings that is not empty", json["prefixes"])
    }
    let prefixes = try elements.enumerated().map { index, element in
      guard let text = element.stringValue else {
        throw failure("conditioning.prefixes[\(index)]", "a string", element)
      }
      return text
    }
    let opening = json["opening"] ?? ""
    guard let opening = opening.stringValue else {
      throw failure("conditioning.opening", "a string", opening)
    }
    self.init(kind: kind, prefixes: prefixes, opening: opening)
  }

  var json: JSON {
    var object = JSONObject([
      ("kind", .string(kind.rawValue)), ("prefixes", .array(prefixes.map { .string($0) })),
    ])
    if !opening.isEmpty { object["opening"] = .string(opening) }
    return .object(object)
  }

  /// What stands before a prompt of this class. The experiment's author wrote it, so that special tokens in it are read.
  package func text(_ prefix: String) -> ModelText { ModelText(literal: opening + prefix) }

  /// The added tokens, best class first; none when prefixes are text.
  func classTokens(_ tokenizer: Tokenizer) throws -> [Int32] {
    kind == .tokens ? try prefixes.map { try id(of: $0, tokenizer) } : []
  }

  /// A token that the tokenizer lacks is the model's fault.
  private func id(of prefix: String, _ tokenizer: Tokenizer) throws -> Int32 {
    guard let id = tokenizer.id(of: prefix) else {
      throw InputError("the tokenizer has no token `\(prefix)`, which the model's plumb.json names")
    }
    return id
  }
}
