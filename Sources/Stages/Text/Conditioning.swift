// Conditioning: the text or token put before a prompt to say which class of answer is wanted.

import Experiments
import JSON
import Models
import System

/// How a model was conditioned: one prefix for each class, best first, or a text of each sample's own. Kept in the model's `plumb.json`,
/// and never glued into a row's prompt.
package struct Conditioning: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// Each prefix is one added token.
    case tokens
    /// Prefixes are ordinary text.
    case text
  }
  package let kind: Kind
  /// None where each sample had a text of its own.
  package let prefixes: [String]
  /// How a text of its own stands before a prompt.
  package let template: ValueTemplate?
  /// Texts of the best samples that the model was trained on: what `best` means without classes.
  package var exemplars: [String]
  /// What stands before every prefix, such as the token that begins a document; empty for nothing. Many models use
  /// their first position as a rest for attention, whatever token stands there: a class said there is hardly read.
  package let opening: String
  /// What stands after every prefix, such as a token of its own; empty for nothing.
  package let separator: String

  /// `_QUANTILE_TOKEN_0_` and so on. Source: METHODS 1.3.
  static func quantileTokens(_ classes: Int, after opening: String = "") -> Conditioning {
    Conditioning(
      kind: .tokens, prefixes: (0..<classes).map { "_QUANTILE_TOKEN_\($0)_" }, opening: opening)
  }

  package init(
    kind: Kind, prefixes: [String] = [], template: ValueTemplate? = nil, exemplars: [String] = [],
    opening: String = "", separator: String = ""
  ) {
    self.kind = kind
    self.prefixes = prefixes
    self.template = template
    self.exemplars = exemplars
    self.opening = opening
    self.separator = separator
  }

  /// Classes that can be asked for. Without prefixes there is one, the best, where it is known what texts it has.
  package var classCount: Int { template == nil ? prefixes.count : exemplars.isEmpty ? 0 : 1 }

  /// The conditioning a model carries, if any.
  /// - Throws: `InputError` when its `plumb.json` is not ours.
  package init?(_ checkpoint: Checkpoint) throws {
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
    func texts(_ key: String) throws -> [String] {
      guard let elements = json[key]?.arrayValue else {
        throw failure("conditioning.\(key)", "a list of strings", json[key])
      }
      return try elements.enumerated().map { index, element in
        guard let text = element.stringValue else {
          throw failure("conditioning.\(key)[\(index)]", "a string", element)
        }
        return text
      }
    }
    func text(_ key: String) throws -> String {
      let value = json[key] ?? ""
      guard let text = value.stringValue else { throw failure("conditioning.\(key)", "a string", value) }
      return text
    }
    let (opening, separator) = (try text("opening"), try text("separator"))
    if json["template"] != nil {
      guard let template = try? ValueTemplate(text("template")) else {
        throw failure("conditioning.template", "a text with `{value}`", json["template"])
      }
      self.init(
        kind: kind, template: template, exemplars: try texts("exemplars"), opening: opening,
        separator: separator)
    } else {
      let prefixes = try texts("prefixes")
      guard !prefixes.isEmpty else {
        throw failure("conditioning.prefixes", "a list of strings that is not empty", json["prefixes"])
      }
      self.init(kind: kind, prefixes: prefixes, opening: opening, separator: separator)
    }
  }

  var json: JSON {
    func list(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }
    var object = JSONObject([("kind", .string(kind.rawValue))])
    if let template {
      object["template"] = .string(template.source)
      object["exemplars"] = list(exemplars)
    } else {
      object["prefixes"] = list(prefixes)
    }
    if !opening.isEmpty { object["opening"] = .string(opening) }
    if !separator.isEmpty { object["separator"] = .string(separator) }
    return .object(object)
  }

  /// What stands before a prompt of this class. The experiment's author wrote it, so that special tokens in it are read.
  package func text(_ prefix: String) -> ModelText { ModelText(literal: opening + prefix + separator) }

  /// What stands before a prompt with a text of its own.
  /// - Throws: `InputError` for a value that is no text.
  func text(_ value: JSON, in template: ValueTemplate) throws -> ModelText {
    ModelText(literal: opening) + (try template.text(value)) + ModelText(literal: separator)
  }

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
