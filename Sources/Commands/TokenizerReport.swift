// What `plumb tokenizer check` says: the parts of a tokenizer, and which texts do not come back as they were.

import JSON
import Models
import System

struct TokenizerReport {
  /// A text that encoding and decoding change.
  struct Changed {
    let line: Int
    let text: String
    let decoded: String
  }

  private let facts: [(name: String, value: JSON)]
  private var textCount: Int?
  private var tokenCount = 0
  private(set) var changed: [Changed] = []

  /// How many changed texts are shown.
  private static let shownCount = 10

  init(of tokenizer: Tokenizer) {
    func token(_ id: Int32?) -> JSON {
      guard let id else { return .null }
      return .object(
        JSONObject([("id", .int(Int64(id))), ("token", tokenizer.spelling(id).map { .string($0) } ?? .null)]))
    }
    facts = [
      ("model", .string("\(tokenizer.model)")), ("tokens", .int(Int64(tokenizer.count))),
      ("normalizer", tokenizer.normalizerType.map { .string($0) } ?? .null),
      ("pre_tokenizer", .string("\(tokenizer.preTokenizer)")),
      ("added_tokens", .int(Int64(tokenizer.addedTokens.count))),
      ("special_tokens", .int(Int64(tokenizer.addedTokens.count(where: \.special)))),
      ("bytes_without_a_token", .int(Int64(tokenizer.model.missingByteCount))),
      ("adds_begin_token", .bool(tokenizer.addsBeginToken)), ("begin_token", token(tokenizer.beginToken)),
      ("end_token", token(tokenizer.endToken)), ("pad_token", token(tokenizer.padToken)),
      ("unknown_token", token(tokenizer.unknownToken)),
    ]
  }

  mutating func add(_ text: String, line: Int, _ tokenizer: Tokenizer) {
    let ids = tokenizer.encode(text)
    textCount = (textCount ?? 0) + 1
    tokenCount += ids.count
    let decoded = tokenizer.decode(ids, skipSpecial: false)
    if !decoded.utf8.elementsEqual(text.utf8) {
      changed.append(Changed(line: line, text: text, decoded: decoded))
    }
  }

  var json: JSON {
    var members = facts.map { ($0.name, $0.value) }
    if let textCount {
      members += [
        ("texts", .int(Int64(textCount))), ("text_tokens", .int(Int64(tokenCount))),
        (
          "changed",
          .array(
            changed.map {
              .object(
                JSONObject([
                  ("line", .int(Int64($0.line))), ("text", .string($0.text)),
                  ("decoded", .string($0.decoded)),
                ]))
            })
        ),
      ]
    }
    return .object(JSONObject(members))
  }

  var text: String {
    var lines = facts.map { "\($0.name.replacing("_", with: " ")): \(Self.shown($0.value))" }
    if let textCount {
      lines.append(
        "texts: \(textCount), \(tokenCount) tokens, \(changed.isEmpty ? "all come" : "\(textCount - changed.count) come") back as they were"
      )
    }
    for change in changed.prefix(Self.shownCount) {
      lines.append("  line \(change.line): \(quoted(change.text)) became \(quoted(change.decoded))")
    }
    if changed.count > Self.shownCount { lines.append("  and \(changed.count - Self.shownCount) more") }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func shown(_ value: JSON) -> String {
    if value.isNull { return "none" }
    if let text = value.stringValue { return TerminalText.escaped(text) }
    if let flag = value.boolValue { return flag ? "yes" : "no" }
    guard let id = value["id"] else { return value.text() }
    return "\(id.text()) \(quoted(value["token"]?.stringValue ?? ""))"
  }
}
